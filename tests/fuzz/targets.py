"""All that is fuzzed."""

from tests.fuzz.calls import PAGE, SERVER
from tests.fuzz.engine import ENGINE
from tests.fuzz.offers import BODIES, LATE, OFFERS
from tests.fuzz.session import SESSION
from tests.fuzz.sound import RTP
from tests.fuzz.visits import VISITS
from tests.fuzz.wishes import HOSTS, PATHS, WISHES

TARGETS = (OFFERS, LATE, BODIES, PAGE, SERVER, SESSION, ENGINE, RTP, WISHES, PATHS, HOSTS, VISITS)
