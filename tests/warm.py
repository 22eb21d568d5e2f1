"""What a process has imported from which the tests fork apps."""

from components.page.stubs import leave_stubs

leave_stubs()

import app  # noqa: E402, F401
import components.launch  # noqa: E402, F401
