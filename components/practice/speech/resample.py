"""Changes the sample rate of one continuous stream of PCM, without clicks between its pieces.

Rule: one resampler per stream. One made per piece would lose the filter's state at every seam.
"""

import av

_BYTES = 2


class Resampler:
    """Mono int16 little endian in, the same out at another rate; holds back less than 1 ms."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._source_rate = source_rate
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=target_rate)
        self._remainder = b""

    def feed(self, pcm: bytes) -> bytes:
        """The resampled audio that these bytes complete; half a sample waits for its other half."""
        pcm = self._remainder + pcm
        usable = len(pcm) - len(pcm) % _BYTES
        self._remainder = pcm[usable:]
        if not usable:
            return b""
        frame = av.AudioFrame(format="s16", layout="mono", samples=usable // _BYTES)
        frame.sample_rate = self._source_rate
        frame.planes[0].update(pcm[:usable])
        return self._resample(frame)

    def flush(self) -> bytes:
        """What was held back. The stream is over: feed it no more."""
        return self._resample(None)

    def _resample(self, frame: av.AudioFrame | None) -> bytes:
        # A plane's buffer may be longer than its samples.
        return b"".join(
            bytes(out.planes[0])[: out.samples * _BYTES] for out in self._resampler.resample(frame)
        )
