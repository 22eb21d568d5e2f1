"""Who a visitor is, for a provider that has to stop an abuser without stopping the whole key.

Rule: no address leaves this machine. What leaves is a keyed hash, made with the key that the
provider has given us: nobody without the key can try out addresses, and unlike with a salt of the
process, a visitor stays the same after a restart and on every replica.
"""

import hmac


def identifier(visitor: str, key: str) -> str:
    """For `OpenAI-Safety-Identifier`; empty where there is no key to hash with.

    `visitor` is an address, as `admission.visitor_of` writes it.
    """
    if not key:
        return ""
    return hmac.new(key.encode(), f"visitor {visitor}".encode(), "sha256").hexdigest()[:32]
