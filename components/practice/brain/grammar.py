"""The phrases that the practice server can do something with, as a JSGF grammar for the ears.

Rule: every phrase here is one that the brain answers by itself; a test says them all to it.
"""

from typing import Final

from components.practice.brain.number_words import words

_ASKED: Final = ("[please]", "can you", "could you [please]", "i want you to")


def grammar() -> str:
    """The grammar, in the JSpeech Grammar Format."""
    rules = "\n".join(f"<{name}> = {' | '.join(phrases)} ;" for name, phrases in _RULES.items())
    choices = " | ".join(f"<{name}>" for name in _INTENTS)
    public = f"public <phrase> = ({choices}) [please] ;"
    return f"#JSGF V1.0;\ngrammar phrases;\n{rules}\n{public}\n"


_INTENTS: Final = ("time", "date", "sum", "request", "again", "help", "tour", "person", "courtesy")

_RULES: Final[dict[str, tuple[str, ...]]] = {
    "number": tuple(words(number) for number in range(101)),
    "operator": ("plus", "minus", "times", "multiplied by", "divided by"),
    "ask": _ASKED,
    "time": (
        "what time is it [now]",
        "what is the time",
        "what's the time",
        "tell me the time",
        "do you know what time it is",
    ),
    "date": (
        "what is the date [today]",
        "what's the date [today]",
        "what is today's date",
        "what's today's date",
        "what day is it [today]",
        "what day is today",
        "tell me the date",
        "what year is it",
        "what month is it",
    ),
    "sum": ("[what is | what's | how much is] <number> <operator> <number>",),
    "request": ("[<ask>] (<dice> | <coin> | <random> | <count>)",),
    "dice": ("(roll | throw) (a dice | the dice | a die | two dice)",),
    "coin": ("(flip | toss) a coin",),
    "random": ("(give me | tell me | pick | say) a random number [between <number> and <number>]",),
    "count": ("count [up] to <number>", "count from <number> to <number>"),
    "again": (
        "[please] repeat that",
        "say that again",
        "can you repeat that",
        "could you say that again",
        "what did you say",
    ),
    "help": ("help [me]", "what can you do", "what can i say", "what can i ask [you]"),
    "tour": ("[take | start | begin | give me | show me] (the | a) tour", "show me around"),
    "person": (
        "how are you [today | doing]",
        "who are you",
        "what are you",
        "what is your name",
        "what's your name",
    ),
    "courtesy": (
        "hello [there]",
        "hi [there]",
        "good (morning | afternoon | evening)",
        "thank you [very much | so much]",
        "thanks [a lot]",
        "goodbye",
        "bye [bye]",
        "good night",
        "see you later",
        "stop [it | talking]",
        "be quiet",
        "never mind",
    ),
}
