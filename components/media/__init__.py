"""WebRTC as a voice bridge needs it: tracks, packets, sample rates, STUN and TURN.

Rule: carries sound; knows nothing of events, turns or transcripts.
"""
