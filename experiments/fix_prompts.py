"""Prompts of the experiment on fixes: templates with fillers, paraphrases, and right answers where there are any.

Templates of the development part and of the held-out part have nothing in common.
"""

from typing import NamedTuple


class Template(NamedTuple):
    """One kind of prompt.

    Args:
        prompt: with {} for what is filled in.
        paraphrases: the same said otherwise.
        fillers: each with the word that is right after it, "" where many are.
    """

    prompt: str
    paraphrases: tuple[str, str]
    fillers: dict[str, str]


def _open(*fillers: str) -> dict[str, str]:
    return dict.fromkeys(fillers, "")


DEVELOPMENT = (
    Template(
        "The capital of {} is",
        ("{}'s capital city is", "The seat of government of {} is the city of"),
        {
            "France": " Paris", "Italy": " Rome", "Spain": " Madrid", "Germany": " Berlin", "Japan": " Tokyo",
            "Russia": " Moscow", "Egypt": " Cairo", "Greece": " Athens", "England": " London", "China": " Beijing",
            "Austria": " Vienna", "Ireland": " Dublin", "Portugal": " Lisbon", "Poland": " Warsaw", "Cuba": " Havana",
        },
    ),
    Template(
        "The {} said that",
        ("According to the {},", "The {} told us that"),
        _open(
            "doctor", "nurse", "teacher", "president", "mother", "farmer", "king", "queen", "lawyer", "driver",
            "scientist", "girl", "boy", "soldier", "actress", "manager", "priest", "student", "pilot", "baker",
            "artist", "judge", "writer", "guard",
        ),
    ),
    Template(
        "The food at the {} was",
        ("At the {}, the food was", "What we ate at the {} was"),
        _open(
            "restaurant", "hotel", "party", "wedding", "airport", "school", "market", "hospital", "beach", "festival",
            "cafe", "bakery", "stadium", "museum", "station",
        ),
    ),
    Template(
        "The opposite of {} is",
        ("The antonym of {} is", "The word that means the reverse of {} is"),
        _open(
            "hot", "big", "good", "happy", "fast", "light", "old", "rich", "high", "strong", "early", "full", "wet",
            "hard", "loud",
        ),
    ),
)  # fmt: skip

HELD_OUT = (
    Template(
        "The official language of {} is",
        ("In {}, the official language is", "The language that people speak in {} is"),
        {
            "France": " French", "Italy": " Italian", "Spain": " Spanish", "Germany": " German", "Japan": " Japanese",
            "Russia": " Russian", "Mexico": " Spanish", "Brazil": " Portuguese", "Egypt": " Arabic",
            "China": " Chinese", "Sweden": " Swedish", "Poland": " Polish", "Greece": " Greek", "Turkey": " Turkish",
            "Austria": " German",
        },
    ),
    Template(
        "{} is a country in",
        ("The country of {} lies in", "On a map, you will find {} in"),
        _open(
            "France", "Brazil", "Kenya", "Japan", "Canada", "India", "Chile", "Norway", "Nigeria", "Thailand", "Peru",
            "Poland", "Vietnam", "Morocco", "Cuba",
        ),
    ),
    Template(
        "My {} is working as a",
        ("My {} has a job as a", "For a living, my {} works as a"),
        _open(
            "wife", "husband", "sister", "brother", "mother", "father", "friend", "neighbor", "uncle", "aunt", "cousin",
            "son", "daughter", "boss", "grandfather",
        ),
    ),
    Template(
        "The month after {} is",
        ("After {} comes the month of", "The month that follows {} is"),
        {
            "January": " February", "February": " March", "March": " April", "April": " May", "May": " June",
            "June": " July", "July": " August", "August": " September", "September": " October",
            "October": " November", "November": " December", "December": " January",
        },
    ),
    Template(
        "The color of {} is",
        ("The usual color of {} is", "If you look at {}, you see that its color is"),
        _open(
            "the sky", "grass", "blood", "snow", "the sun", "a banana", "coal", "a tomato", "an orange", "a cloud",
            "milk", "a rose", "gold", "chocolate", "the ocean",
        ),
    ),
    Template(
        "She went to the {} to buy some",
        ("She needed something from the {}, so she went there to get some", "At the {} she bought some"),
        _open(
            "store", "market", "bakery", "pharmacy", "shop", "mall", "farm", "library", "supermarket", "garage",
            "hospital", "station", "bookstore", "garden center", "butcher",
        ),
    ),
    Template(
        "I think that this {} is very",
        ("In my opinion, this {} is very", "If you ask me, this {} is really"),
        _open(
            "movie", "book", "song", "car", "phone", "house", "city", "game", "teacher", "dog", "company", "idea",
            "restaurant", "country", "painting",
        ),
    ),
    Template(
        "In the morning, the {} likes to",
        ("Early in the day, the {} likes to", "After sunrise, the {} likes to"),
        _open(
            "cat", "dog", "farmer", "king", "child", "teacher", "bird", "horse", "soldier", "artist", "monkey", "bear",
            "student", "baker", "old man",
        ),
    ),
    Template(
        "The {} was invented in the year",
        ("The year in which the {} was invented is", "People first used the {} in the year"),
        _open("telephone", "radio", "car", "computer", "airplane", "camera", "internet", "clock"),
    ),
    Template(
        "The best way to travel to {} is by",
        ("If you want to go to {}, you should go by", "Most people get to {} by"),
        _open(
            "London", "Paris", "New York", "Rome", "Tokyo", "Moscow", "Chicago", "Berlin", "Boston", "Cairo", "Sydney",
            "Madrid", "Dublin", "Venice", "Mumbai",
        ),
    ),
)  # fmt: skip
