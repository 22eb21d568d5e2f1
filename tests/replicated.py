"""Two replicas of the app on loopback, as `deploy/` has them: with nginx, Redis and a server."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

from tests.running import forked_app, free_port, practice_server
from tests.services import Service, nginx, redis_server

TOKEN = "for-the-tests"


class Replica:
    """One process of the app, which can be killed and begun again at the same port."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._settings = settings
        self._running = ExitStack()
        self._process: BaseProcess | None = None

    def begin(self) -> None:
        """Returns when it answers."""
        app = forked_app(self._folder, "--port", str(self.port), port=self.port, **self._settings)
        self._process = self._running.enter_context(app).process

    def kill(self) -> None:
        """Without a chance to say goodbye."""
        assert self._process
        self._process.kill()
        self.end()

    def end(self) -> None:
        self._running.close()

    @property
    def calls(self) -> int:
        """Under way here."""
        head = {"Authorization": f"Bearer {TOKEN}"}
        figures = httpx.get(f"{self.url}/metrics", headers=head, trust_env=False).text
        [count] = re.findall(r'^voice_calls_running\{route="bridged"\} (\S+)$', figures, re.M)
        return int(float(count))


class House:
    """All of it; `url` is where callers find the app."""

    def __init__(self, replicas: list[Replica], front: Service, shared: Service) -> None:
        self.replicas = replicas
        self.nginx = front
        self.redis = shared
        self.url = f"http://127.0.0.1:{front.port}"

    def of(self, *, busy: bool) -> Replica:
        """The replica that has calls under way, or the one that has none."""
        [found] = [each for each in self.replicas if bool(each.calls) is busy]
        return found


@contextmanager
def replicated(folder: Path, **settings: str) -> Iterator[House]:
    """Everything runs, and everybody answers."""
    with ExitStack() as stack:
        folders = {name: folder / name for name in ("a", "b", "nginx", "redis")}
        for each in folders.values():
            each.mkdir()
        shared = stack.enter_context(redis_server(folders["redis"]))
        server = stack.enter_context(practice_server())
        usual = {
            "REALTIME_BASE_URL": server,
            "REPLICA_STORAGE": f"redis://127.0.0.1:{shared.port}",
            "FORWARDED_ALLOW_IPS": "127.0.0.1",
            "METRICS_TOKEN": TOKEN,
        }
        replicas = [Replica(folders[name], {**usual, **settings}) for name in ("a", "b")]
        for replica in replicas:
            stack.callback(replica.end)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Replica.begin, replicas))
        ports = [replica.port for replica in replicas]
        yield House(replicas, stack.enter_context(nginx(folders["nginx"], *ports)), shared)
