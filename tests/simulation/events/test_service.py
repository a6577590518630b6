import numpy as np
import pytest

from tests.simulation.lines import log_of, serial_line
from tests.simulation.networks import closed, routed
from twinloop.simulation import Economy
from twinloop.simulation.events.kpi import KPIS, kpis, kpis_of
from twinloop.simulation.events.log import RUNNING, SPAN, STARVED


def test_key_figures_of_a_service_are_those_of_its_log():
    line = routed(9)
    log = log_of(line, minutes=900)
    told, minutes = kpis(log, line, Economy(), start=100.0)
    rows = (log.event == SPAN) & (log.entity == log.entities.index("answer")) & (log.time >= 100)
    taken = log.value[rows]
    assert told["answer_per_min"] == pytest.approx(len(taken) / 800)
    assert told["answer_mean_min"] == pytest.approx(taken.mean())
    for percent in (50, 95, 99):
        assert told[f"answer_p{percent}_min"] == pytest.approx(np.percentile(taken, percent))
    assert told["answer_within"] == pytest.approx((taken <= 2.0).mean())
    hear = log.entities.index("hear")
    assert told["hear_utilisation"] == pytest.approx(minutes[hear, RUNNING - STARVED] / 800)
    assert "search_within" not in told
    assert "think_utilisation" not in told


def test_a_service_has_figures_of_its_own_and_only_losses_that_can_be():
    told = kpis_of(closed(3))
    assert next(iter(told)) == "answer_per_min"
    assert not set(told) & set(KPIS)
    assert "refused_share" not in told
    limited = closed(3).with_(
        {"spans": [{"name": "answer", "start": "s1", "end": "s3", "limit": 1, "when_full": "lose"}]}
    )
    assert {"refused_share", "abandoned_share", "lost_per_min"} <= set(kpis_of(limited))
    assert list(kpis_of(serial_line(2, buffer=1))) == list(KPIS)


def test_scenarios_of_a_service_are_told_by_what_they_have_in_common():
    more = {"stations.s1.servers": 2}
    side = closed(8).compare({"two": more}, days=1, warmup_days=0.1, replications=4)
    assert side["two"]["answer_mean_min"].mean < 0
    assert "Answer: throughput" in side._repr_html_()
    assert "go round" in closed(8)._repr_html_()


def test_a_precision_is_of_the_first_figure_unless_another_is_named():
    result = closed(8).run(days=1, warmup_days=0.1, replications=4, precision=0.2, precision_of="answer_p95_min")
    assert result.reached
    assert closed(8).run(days=1, warmup_days=0.1, replications=4, precision=0.2).precise_in == "answer_per_min"


def test_the_warm_up_of_a_population_is_told_by_its_first_span():
    assert closed(30).warm_up(days=3, replications=4).days < 1.5
