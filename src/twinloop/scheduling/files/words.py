"""The words of an order book: what its sheets, columns, units and days are called, in English and in German.

Capitals, the order of columns and the signs between words do not matter (`sheets.words_of`).
"""

from collections.abc import Mapping


def _named(**names: str) -> dict[str, str]:
    """By each of the words (separated by blanks) the name that they mean."""
    return {word: name for name, words in names.items() for word in words.split()}


UNITS = {"min": 1.0, "h": 60.0, "s": 1 / 60, "d": 1440.0}
UNIT_NAMES: Mapping[str, str] = _named(
    min="min mins minute minutes minuten",
    h="h hr hrs hour hours std stunde stunden",
    s="s sec secs second seconds sek sekunden",
    d="d day days tag tage",
)
ROLES: Mapping[str, str] = {
    **_named(
        Orders="orders order_book jobs aufträge auftraege auftragsliste fertigungsaufträge",
        Operations="operations routings steps arbeitsgänge arbeitsgaenge arbeitspläne arbeitsplan",
        Machines="machines maschinen arbeitsplätze anlagen resources",
        Groups="groups machine_groups gruppen maschinengruppen",
        Calendar="calendar calendars closed closures kalender sperrzeiten",
        Shifts="shifts working_hours work_hours weekly_hours weekly_calendar schichten arbeitszeiten",
        Exceptions="exceptions holidays special_days feiertage ausnahmen",
        Setups="setups set_ups setup_times set_up_times setup_matrix changeovers rüstzeiten ruestzeiten rüstmatrix",
        Transport="transport transports transport_times transporte transportzeiten",
        Pools="pools tools crews people pool personal werkzeuge",
        Operators="operators staff employees mitarbeiter bediener",
        Materials="materials material stock stocks bestand bestände",
        Deliveries="deliveries lieferungen zugänge",
        Start="start plan_start planstart",
    ),
    **dict.fromkeys(("in_progress", "work_in_progress", "wip", "frozen", "running", "in_arbeit"), "In progress"),
}
COLUMNS: Mapping[str, str] = _named(
    job="order order_no order_number job_name work_order auftrag auftragsnummer auftrag_nr auftragsnr",
    operation="op step operation_no operation_number arbeitsgang arbeitsschritt schritt vorgang ag",
    machine="resource work_center workcenter work_centre machine_name maschine arbeitsplatz anlage ressource",
    duration="processing_time work_time dauer bearbeitungszeit",
    piece_time="time_per_piece piece_duration stückzeit stueckzeit zeit_je_stück zeit_pro_stück",
    unit="einheit zeiteinheit",
    release="release_date earliest_start freigabe frühester_start fruehester_start",
    due="due_date delivery_date termin liefertermin fällig fällig_am faellig endtermin",
    weight="gewicht",
    firm="verbindlich",
    after="predecessors vorgänger vorgaenger nach",
    quantity="qty pieces menge stückzahl stueckzahl",
    lot="lot_size transfer_lot los losgröße losgroesse",
    part_of="teil_von",
    price="rejection_cost penalty preis strafe",
    optional="may_be_left_out verzichtbar",
    family="setup_family set_up_family familie rüstfamilie ruestfamilie",
    resumable="may_pause unterbrechbar",
    no_wait="ohne_warten",
    max_wait="longest_wait höchste_wartezeit",
    least_run="minimum_run mindestlauf",
    pools="pool needs",
    skills="skill qualification qualifications qualifikation qualifikationen fähigkeiten",
    components="materials materialien komponenten",
    group="machine_group work_group groups gruppe maschinengruppe",
    power="leistung watts",
    mttf="mean_time_to_failure",
    mttr="mean_repair mean_repair_time",
    oven="charge batch batch_size charge_size charge_capacity charge_größe",
    initial="initial_family set_up_for setup_for initial_setup gerüstet_für anfangsfamilie",
    crew="setup_crew set_up_crew rüstpersonal rüster",
    unattended="unattended_setup rüsten_ohne_aufsicht",
    start="from begin closed_from von beginn anfang",
    end="to until closed_until bis ende",
    kind="type art",
    repeat="every repeats wiederholung",
    days="day weekday weekdays tage tag wochentag wochentage",
    date="datum",
    capacity="units number_of_people count kapazität kapazitaet",
    zone="time_zone timezone zeitzone",
    operator="person mitarbeiter bediener",
    time="zeit",
)
DAYS: Mapping[str, str] = _named(
    Mon="mon monday mondays mo montag montags",
    Tue="tue tues tuesday tuesdays tu di dienstag dienstags",
    Wed="wed wednesday wednesdays we mi mittwoch mittwochs",
    Thu="thu thur thurs thursday thursdays th do donnerstag donnerstags",
    Fri="fri friday fridays fr freitag freitags",
    Sat="sat saturday saturdays sa samstag samstags sonnabend",
    Sun="sun sunday sundays su so sonntag sonntags",
)
EVERY_DAY = ("", "*", "all", "daily", "every day", "täglich", "alle")
# What stands for every machine.
EVERY = ("", "*", "all", "alle")
YES, NO = ("yes", "true", "1", "x", "y", "ja", "j"), ("no", "false", "0", "n", "nein")
