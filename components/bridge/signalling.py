"""How a browser's offer becomes a connection of its call, in the place of fastrtc's own functions.

Rule: who may begin is decided before fastrtc takes a slot, a connection belongs to the Gradio
session that offered it, and nothing that a stranger knows or guesses opens it. Every refusal is a
sentence; none leaves a slot taken.
"""

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import gradio as gr
from aiortc import RTCIceCandidate
from fastrtc import WebRTC
from gradio.components.base import server

from components.access.rates import Rates
from components.bridge.calls import Calls, key_of
from components.bridge.leg import Leg
from components.bridge.terms import OwnKeyError, own_key
from components.core.conversation import Conversation
from components.core.places import NoPlaceError
from components.media.candidates import Candidates, Targets
from components.media.offer import OfferError, taken
from components.media.peer import use_own_tracks
from components.settings import Settings

log = logging.getLogger(__name__)

SPARE: Final = 2
"""Connections for each call: a browser that joins again does so before its old one is gone."""

Answer = Any
"""What fastrtc's component understands: a description, or why there is none."""
Take = Callable[[Mapping[str, Any], Any], Awaitable[Answer]]


class Signalling:
    """Takes the offers for one fastrtc component, and gives out its transcripts."""

    def __init__(self, component: WebRTC, calls: Calls, rates: Rates, settings: Settings) -> None:
        self._component = component
        self._calls = calls
        self._settings = settings
        self._rates = rates
        self._starts = f"{settings.max_starts_per_minute}/minute"
        # Who comes back asks as well, and may need some tries.
        self._turns = f"{2 * settings.max_starts_per_minute}/minute"
        self._targets = Targets(settings.reachable, settings.private_candidates)
        self._take: Take = component.handle_offer
        component.event_handler = Leg()
        component.time_limit = None
        component.concurrency_limit = SPARE * settings.max_calls
        self._stock_turn: Callable[[Any], Awaitable[Any]] = component.turn
        component.turn = self.turn
        component.offer = self.offer
        component.quit_output_stream = self.quit_output_stream

    @server  # type: ignore[untyped-decorator]  # Gradio is not followed
    async def turn(self, body: Any, request: gr.Request) -> Answer:
        """Where the page finds STUN and TURN; each answer may cost a request to their provider."""
        if await self._rates.admit(self._turns, "turn", _visitor(request)):
            return await self._stock_turn(body)
        return {"error": _TOO_MANY}

    @server  # type: ignore[untyped-decorator]  # Gradio is not followed
    async def offer(self, body: Any, request: gr.Request) -> Answer:
        """A message of a page that wants to connect: its offer, or a candidate for its way."""
        session_hash = await _session_of(request)
        match body:
            case {"type": "offer", "webrtc_id": str(), "sdp": str()} if session_hash:
                return await self._connect(body, session_hash, _visitor(request))
            case {
                "type": "ice-candidate",
                "webrtc_id": str(webrtc_id),
                "candidate": {"candidate": str(text)} as candidate,
            }:
                if not self._owns(webrtc_id, session_hash):
                    return _refusal("not_yours", "This connection belongs to another page.")
                return await self._take_candidate(webrtc_id, text, candidate)
        return _NOT_UNDERSTOOD

    @server  # type: ignore[untyped-decorator]  # Gradio is not followed
    async def quit_output_stream(self, body: Any) -> Answer:
        """fastrtc's component asks this after a call; transcripts end by themselves."""
        return {"success": True}

    async def transcript(
        self, webrtc_id: str, session_hash: str, pause_s: float
    ) -> AsyncIterator[Conversation]:
        """The conversation of a connection whenever it changes, for the session that owns it."""
        if self._owns(webrtc_id, session_hash):
            leg = self._component.handlers[webrtc_id]
            async for conversation in leg.screen.snapshots(pause_s):
                yield conversation

    async def _connect(self, body: dict[str, Any], session_hash: str, visitor: str) -> Answer:
        key = key_of(body.get("key"))
        if refusal := await self._refuse(body, key, visitor):
            return refusal
        try:
            own = own_key(body.pop("api_key", None), self._settings)
        except OwnKeyError as error:
            return _refusal("key_not_taken", str(error))
        candidates = Candidates(self._targets)
        try:
            body = {**body, "sdp": taken(body["sdp"], candidates)}
        except OfferError as error:
            log.info("! an offer could not be understood: %s", error)
            return _NOT_UNDERSTOOD
        comes_back = bool(body.get("rejoin"))
        try:
            call = self._calls.enter(
                key, visitor, body.get("wishes", {}), own, comes_back=comes_back
            )
            await self._calls.confirm(key)
        except NoPlaceError as error:
            return _refusal("concurrency_limit_reached", str(error))
        answer = await self._answer(body)
        leg = self._component.handlers.get(body["webrtc_id"])
        pc = self._component.pcs.get(body["webrtc_id"])
        if answer is None or leg is None or pc is None:
            call.abandon()
            return _NOT_UNDERSTOOD
        leg.candidates = candidates
        leg.belong(call, session_hash, use_own_tracks(pc, leg))
        return answer

    async def _answer(self, body: Mapping[str, Any]) -> Answer | None:
        """fastrtc's answer to an offer; None if it cannot be understood, and its slot is free."""
        webrtc_id = body["webrtc_id"]
        try:
            answer = await self._take(body, None)
        except Exception as error:
            log.info("! an offer could not be understood: %s", type(error).__name__)
            answer = None
        if isinstance(answer, dict) and "sdp" in answer and self._component.connections[webrtc_id]:
            return answer
        # Trap: fastrtc takes the slot before it reads the offer, and keeps it if that fails.
        pc = self._component.pcs.get(webrtc_id)
        self._component.clean_up(webrtc_id)
        if pc:
            with suppress(Exception):  # aiortc stumbles over what it made of half an offer
                await pc.close()
        return None

    async def _take_candidate(self, webrtc_id: str, text: str, where: Mapping[str, Any]) -> Answer:
        """One more address at which the browser says it is; fastrtc's own way has no bound."""
        candidates: Candidates | None = self._component.handlers[webrtc_id].candidates
        candidate = candidates.take_late(text) if candidates else None
        if candidate is None:
            return _refusal("candidate_not_taken", "The app does not use this way to the browser.")
        ice = RTCIceCandidate(
            1,
            candidate.foundation,
            candidate.ip,
            candidate.port,
            candidate.priority,
            "udp",
            candidate.type,
            sdpMid=where.get("sdpMid"),
            sdpMLineIndex=where.get("sdpMLineIndex"),
        )
        try:
            await self._component.pcs[webrtc_id].addIceCandidate(ice)
        except (KeyError, ValueError):  # the connection has closed, or its offer named all
            return _refusal("candidate_too_late", "The connection takes no other way any more.")
        return {"status": "success"}

    async def _refuse(self, body: Mapping[str, Any], key: str, visitor: str) -> Answer | None:
        """Why this offer is not taken; None if it is."""
        if body["webrtc_id"] in self._component.pcs:
            return _refusal("connection_already_exists", "This connection exists already.")
        if self._calls.running(key):
            if await self._rates.admit(self._turns, "rejoin", visitor):
                return None
            return _refusal("too_many_starts", _TOO_MANY)
        if body.get("rejoin"):
            return await self._refuse_to_go_on(key, visitor)
        if not await self._rates.admit(self._starts, "start", visitor):
            return _refusal("too_many_starts", _TOO_MANY)
        await self._calls.fetch(key)
        return None

    async def _refuse_to_go_on(self, key: str, visitor: str) -> Answer | None:
        """Why a call cannot go on here that does not run here; None if another replica had it."""
        if not await self._rates.admit(self._turns, "rejoin", visitor):
            return _refusal("too_many_starts", _TOO_MANY)
        kept = await self._calls.fetch(key)
        if kept is None:
            return _refusal("call_over", "The call has ended meanwhile. You can start a new one.")
        return _refusal("key_needed", _KEY_NEEDED) if kept.own_key else None

    def _owns(self, webrtc_id: str, session_hash: str) -> bool:
        leg = self._component.handlers.get(webrtc_id)
        return leg is not None and _page_of(leg.session_hash) == _page_of(session_hash) != ""


def _page_of(session_hash: str) -> str:
    """The name that Gradio gave a page; when a stream breaks, the page counts on behind it."""
    return re.sub(r"-\d{1,6}$", "", session_hash)


async def _session_of(request: gr.Request) -> str:
    """The Gradio session of a request; Gradio gives functions of a component only its data."""
    try:
        session_hash = (await request.json())["session_hash"]
    except (ValueError, KeyError, TypeError):
        return ""
    return session_hash if isinstance(session_hash, str) else ""


def _visitor(request: gr.Request) -> str:
    return request.client.host if request.client else ""


def _refusal(error: str, sentence: str) -> Answer:
    return {"status": "failed", "meta": {"error": error, "sentence": sentence}}


_TOO_MANY: Final = "Too many calls were started from here. Wait a minute, then try again."
_KEY_NEEDED: Final = (
    "The server that held this call has gone, and your key with it. Enter it again, then start."
)
_NOT_UNDERSTOOD: Final = _refusal(
    "offer_not_understood", "The app could not take the call. Reload this page and try again."
)
