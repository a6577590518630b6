"""What fictional documents are about: genres with their fields, how each is stated and how each is asked for.

Train, validation and test name a field by other words, so that no wording learnt from helps where it is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from twinloop.dialogue.synthetic.words import COMPANIES, TOWNS, day_in, full_names, pick, written

SPLITS = ("train", "val", "test")
Draw = Callable[[Generator, int], str]


@dataclass(frozen=True)
class Field:
    """One fact of a document. draw: its value, for a year; stated: a sentence around {value}; nouns: one per split."""

    name: str
    draw: Draw
    stated: str
    nouns: tuple[str, str, str]
    asked: str = "what"


@dataclass(frozen=True)
class Genre:
    """A kind of document. kind: said of {thing}; remarks: sentences without a fact."""

    name: str
    kind: str
    things: tuple[str, ...]
    fields: tuple[Field, ...]
    remarks: tuple[str, ...]


def money(low: int, high: int) -> Draw:
    """An amount in euros, with cents."""
    return lambda rng, year: f"{int(rng.integers(low, high))}.{int(rng.integers(100)):02d} euros"


def amount(low: int, high: int, unit: str) -> Draw:
    """A whole number of a unit."""
    return lambda rng, year: f"{int(rng.integers(low, high))} {unit}"


def day(rng: Generator, year: int) -> str:
    """A day of the year."""
    return written(day_in(rng, year))


def person(rng: Generator, year: int) -> str:
    """A name."""
    return full_names(rng, 1)[0]


def code(letters: str) -> Draw:
    """A number as files have it."""
    return lambda rng, year: f"{letters}-{int(rng.integers(1000, 9999))}-{int(rng.integers(100, 999))}"


def one_of(*options: str) -> Draw:
    """One of some words."""
    return lambda rng, year: pick(rng, options)


COMPANY, TOWN = one_of(*COMPANIES), one_of(*TOWNS)
WEEKDAY = one_of("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")

GENRES = (
    Genre(
        "insurance",
        "{thing} insurance",
        ("car", "household", "liability", "bicycle", "travel"),
        (
            Field("premium", money(80, 900), "The yearly premium comes to {value}.",
                  ("the yearly premium", "the amount paid every year", "the annual cost")),
            Field("insurer", COMPANY, "Cover is provided by {value}, who must be told of any change.",
                  ("the insurer", "the insurance company", "the provider of the cover")),
            Field("policy", code("PN"), "Please quote policy number {value} whenever you write to us.",
                  ("the policy number", "the reference of the policy", "the number to quote")),
            Field("excess", money(50, 500), "Of every claim, {value} remain with the policyholder.",
                  ("the excess", "the share of a claim that stays with the holder", "the deductible")),
            Field("renewal", day, "The contract is renewed on {value} unless it is cancelled in writing.",
                  ("the renewal date", "the day on which the contract goes on", "the date of extension")),
        ),
        ("Claims are settled within three weeks.", "A change of address has to be reported without delay."),
    ),
    Genre(
        "trip",
        "trip to {thing}",
        TOWNS[:8],
        (
            Field("hotel", one_of("Hotel Aurora", "The Old Mill", "Pension Linde", "Harbour Lodge", "Casa Verde"),
                  "The nights were spent at {value}, close to the station.",
                  ("the hotel", "the place of stay", "the lodging"), "where"),
            Field("cost", money(200, 2500), "All in all the journey cost {value}, tickets included.",
                  ("the total cost", "the sum spent", "the overall expense")),
            Field("companion", person, "The company of {value} made the long ride a short one.",
                  ("the travel companion", "the person who came along", "the fellow traveller"), "who"),
            Field("departure", day, "The train left on {value}, an hour before sunrise.",
                  ("the day of departure", "the date the train left", "the start date"), "when"),
            Field("purpose", one_of("a trade fair", "a wedding", "a training course", "a site visit", "a reunion"),
                  "The reason for travelling was {value}.",
                  ("the purpose", "the reason for travelling", "the occasion")),
        ),
        ("Breakfast was plain but good.", "The way back took longer because of works on the line."),
    ),
    Genre(
        "tenancy",
        "tenancy of the {thing}",
        ("flat", "garage", "allotment", "studio", "storage room"),
        (
            Field("rent", money(60, 1500), "The monthly rent is {value}, payable in advance.",
                  ("the monthly rent", "the sum due each month", "the regular payment")),
            Field("landlord", person, "The landlord, {value}, keeps a spare key.",
                  ("the landlord", "the owner of the property", "the lessor"), "who"),
            Field("notice", amount(2, 12, "weeks"), "Either side may end the contract with {value} of notice.",
                  ("the notice period", "the time needed to end the contract", "the term of cancellation")),
            Field("deposit", money(100, 4000), "A deposit of {value} was paid and will bear interest.",
                  ("the deposit", "the security that was paid", "the sum held as a guarantee")),
            Field("handover", day, "Keys and meter readings were handed over on {value}.",
                  ("the handover date", "the day the keys were given", "the date of taking over"), "when"),
        ),
        ("Small repairs are for the tenant.", "Bicycles are to be kept in the yard."),
    ),
    Genre(
        "project",
        "project {thing}",
        ("Kestrel", "Lighthouse", "Meadow", "Compass", "Granite", "Harvest"),
        (
            Field("budget", money(2000, 90000), "The steering group released {value} for the work.",
                  ("the budget", "the money released", "the funds approved")),
            Field("deadline", day, "Everything has to be delivered by {value} at the latest.",
                  ("the deadline", "the last day for delivery", "the due date"), "when"),
            Field("lead", person, "Day-to-day decisions are taken by {value}.",
                  ("the project lead", "the person who decides", "the one in charge"), "who"),
            Field("supplier", COMPANY, "Parts and material come from {value}.",
                  ("the supplier", "the company that delivers", "the vendor")),
            Field("site", TOWN, "Work takes place in {value}, on the former railway ground.",
                  ("the site", "the place of work", "the location"), "where"),
        ),
        ("Progress is reported every second week.", "Risks are kept in a list of their own."),
    ),
    Genre(
        "service",
        "service of the {thing}",
        ("car", "van", "motorbike", "camper", "cargo bike"),
        (
            Field("mileage", amount(900, 180000, "kilometres"), "The counter stood at {value} on arrival.",
                  ("the mileage", "the distance on the counter", "the odometer reading")),
            Field("workshop", COMPANY, "The work was carried out by {value}.",
                  ("the workshop", "the garage that did the work", "the mechanics' company")),
            Field("price", money(60, 1400), "The invoice amounts to {value}, parts and labour together.",
                  ("the price", "the invoice amount", "the bill")),
            Field("next", day, "The next inspection is due on {value}.",
                  ("the next inspection date", "the day it has to be seen again", "the following check"), "when"),
            Field("part", one_of("the rear brake pads", "the battery", "the drive belt", "a wheel bearing"),
                  "On this occasion {value} had to be replaced.",
                  ("the replaced part", "the component that was changed", "the worn item")),
        ),
        ("The tyres have good tread left.", "A test ride showed nothing unusual."),
    ),
    Genre(
        "course",
        "{thing} course",
        ("Italian", "pottery", "first aid", "statistics", "sailing", "photography"),
        (
            Field("teacher", person, "Lessons are given by {value}.",
                  ("the teacher", "the person who gives the lessons", "the instructor"), "who"),
            Field("fee", money(40, 700), "The fee of {value} covers books and material.",
                  ("the fee", "the price of taking part", "the tuition")),
            Field("exam", day, "The examination will be held on {value}.",
                  ("the exam date", "the day of the examination", "the date of the final test"), "when"),
            Field("room", amount(101, 499, "in the west wing"), "Classes meet in room {value}.",
                  ("the room", "the place where classes meet", "the classroom"), "where"),
            Field("grade", one_of("1.3", "1.7", "2.0", "2.3", "2.7"), "The certificate shows a final grade of {value}.",
                  ("the final grade", "the mark on the certificate", "the result")),
        ),
        ("Missed lessons can be made up in the evening group.", "Places are given in the order of registration."),
    ),
    Genre(
        "meter",
        "{thing} bill",
        ("electricity", "gas", "water", "heating"),
        (
            Field("reading", amount(1000, 99999, "units"), "The meter showed {value} at the end of the period.",
                  ("the meter reading", "the number shown on the meter", "the final count")),
            Field("prepayment", money(20, 300), "The new monthly instalment is {value}.",
                  ("the monthly instalment", "the prepayment of each month", "the advance")),
            Field("supplier", COMPANY, "Your supplier is {value}, reachable on working days.",
                  ("the supplier", "the utility", "the company that sends the bill")),
            Field("balance", money(5, 400), "This leaves a balance of {value} to be paid.",
                  ("the balance", "the amount still to be paid", "the remaining sum")),
            Field("due", day, "It will be debited on {value}.",
                  ("the debit date", "the day the money is taken", "the date of payment"), "when"),
        ),
        ("Consumption was a little below the year before.", "Readings can be sent by post or by telephone."),
    ),
    Genre(
        "warranty",
        "warranty of the {thing}",
        ("washing machine", "laptop", "camera", "coffee machine", "telescope", "printer"),
        (
            Field("serial", code("SN"), "The serial number on the plate is {value}.",
                  ("the serial number", "the number on the plate", "the device number")),
            Field("price", money(90, 2200), "It was bought for {value}.",
                  ("the purchase price", "the sum it was bought for", "the original cost")),
            Field("dealer", COMPANY, "The dealer was {value}, who also does repairs.",
                  ("the dealer", "the shop it came from", "the seller")),
            Field("expiry", day, "The guarantee ends on {value}.",
                  ("the end of the guarantee", "the day the cover stops", "the expiry date"), "when"),
        ),
        ("Keep the receipt with this card.", "Damage by water is not covered."),
    ),
    Genre(
        "health",
        "{thing} appointment",
        ("dentist", "eye", "physiotherapy", "vaccination", "skin check"),
        (
            Field("doctor", person, "The examination was done by {value}.",
                  ("the doctor", "the person who examined", "the physician"), "who"),
            Field("visit", day, "The visit took place on {value}.",
                  ("the date of the visit", "the day of the examination", "the appointment day"), "when"),
            Field("finding", one_of("no complaint", "a small filling", "a weak left eye", "a stiff shoulder"),
                  "The finding was noted as {value}.",
                  ("the finding", "the thing that was noted", "the diagnosis")),
            Field("fee", money(20, 300), "The statutory fund does not pay the fee of {value}.",
                  ("the fee", "the amount not paid by the fund", "the private charge")),
            Field("medicine", one_of("Calvorin", "Dermasol", "Ibrelan", "Octavit", "Lumadrops"),
                  "For two weeks {value} is to be taken twice a day.",
                  ("the medicine", "the remedy to take", "the prescription")),
        ),
        ("The waiting room was full.", "A reminder will be sent in good time."),
    ),
    Genre(
        "club",
        "{thing} club membership",
        ("rowing", "choir", "chess", "climbing", "running"),
        (
            Field("dues", money(20, 400), "Members pay {value} a year.",
                  ("the yearly dues", "the contribution of a member", "the subscription")),
            Field("trainer", person, "Training is led by {value}.",
                  ("the trainer", "the person who leads training", "the coach"), "who"),
            Field("weekday", WEEKDAY, "The group meets on {value} after work.",
                  ("the meeting day", "the weekday of the group", "the regular evening"), "when"),
            Field("hall", TOWN, "The premises are in {value}, behind the school.",
                  ("the place of the premises", "the town where the group meets", "the venue"), "where"),
            Field("number", code("M"), "The membership card carries the number {value}.",
                  ("the membership number", "the number on the card", "the member identification")),
        ),
        ("New members are welcome all year.", "The summer party is planned by the youth group."),
    ),
)  # fmt: skip
REMARKS = (
    "This copy is for the files.",
    "Questions are answered on weekdays between nine and five.",
    "Please check every entry and tell us of mistakes.",
    "Earlier versions are no longer valid.",
    "Enclosures are listed on a sheet of their own.",
    "A signed original is kept at the office.",
)
