"""The playground in a real browser: what the page shows is what the package computes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from pages import settle

from glassnet.lab.exhibits.playground import Playground, PlaygroundSettings

pytestmark = pytest.mark.browser
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

N_STEPS = 3


def computed(step: int = 0, **settings) -> Playground:
    """Return the exhibit as the package computes it, without a page."""
    playground = Playground(PlaygroundSettings.model_validate(settings))
    playground.step(step)
    return playground


def expect_numbers(page, playground: Playground) -> None:
    values = playground.frame().values
    expect(page.get_by_test_id("step-number")).to_have_text(f"{playground.history.step:,}")
    expect(page.get_by_test_id("train-loss")).to_have_text(f"{values['trainLoss']:.4f}")
    expect(page.get_by_test_id("test-loss")).to_have_text(f"{values['testLoss']:.4f}")
    if values["testError"] is not None:
        expect(page.get_by_test_id("test-error")).to_have_text(f"{values['testError']:.1%}")


def run_script(page) -> list[str]:
    """Press "copy as Python" and run what it shows in a fresh process."""
    page.get_by_test_id("copy-python").click()
    expect(page.get_by_test_id("python")).to_be_visible()
    script = page.get_by_test_id("python").inner_text()
    page.get_by_test_id("close-python").click()
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split("\n")


def choose(testid: str, option: str):
    return lambda page: page.get_by_test_id(testid).select_option(option)


def click(*testids: str):
    return lambda page: [page.get_by_test_id(testid).click() for testid in testids]


def tile(testid: str):
    return lambda page: page.locator(f"label:has([data-testid={testid}])").click()


def fill(testid: str, value: str):
    def act(page) -> None:
        page.get_by_test_id(testid).fill(value)
        page.get_by_test_id(testid).press("Enter")

    return act


def in_layer(layer: int, testid: str, option: str):
    """Open a layer's settings and choose one."""

    def act(page) -> None:
        page.get_by_test_id(f"layer-{layer}-settings").click()
        expect(page.get_by_test_id("layer-title")).to_have_text(f"Layer {layer}")
        page.get_by_test_id(testid).select_option(option)
        expect_link_value(page, testid, ",".join(option if i + 1 == layer else "same" for i in range(2)))
        page.get_by_test_id(f"layer-{layer}-settings").click()
        expect(page.get_by_test_id("layer-title")).to_be_hidden()

    return act


CONTROLS = {
    "dataset": (tile("dataset-xor"), {"dataset": "xor"}),
    "problem": (tile("problem-regression"), {"problem": "regression"}),
    "noise": (fill("noise", "20"), {"noise": 20}),
    "training share": (fill("percTrainData", "80"), {"percTrainData": 80}),
    "seed": (fill("seed", "7"), {"seed": 7}),
    "activation": (choose("activation", "relu"), {"activation": "relu"}),
    "solver": (choose("solver", "adam"), {"solver": "adam"}),
    "learning rate": (choose("learningRate", "0.3"), {"learningRate": 0.3}),
    "batch size": (choose("batchSize", "50"), {"batchSize": 50}),
    "weight decay": (choose("alpha", "3"), {"alpha": 3}),
    "a unit more": (click("layer-2-add"), {"networkShape": [4, 3]}),
    "a unit less": (click("layer-1-remove"), {"networkShape": [3, 2]}),
    "a layer more": (click("layers-add"), {"networkShape": [4, 2, 4]}),
    "no layer": (click("layers-remove", "layers-remove"), {"networkShape": []}),
    "normalization": (choose("norm", "layer"), {"norm": "layer"}),
    "dropout": (choose("dropout", "0.3"), {"dropout": 0.3}),
    "a layer's activation": (in_layer(2, "layerActivation", "relu"), {"layerActivation": ["same", "relu"]}),
    "a layer's normalization": (in_layer(1, "layerNorm", "batch"), {"layerNorm": ["batch", "same"]}),
    "a layer's dropout": (in_layer(1, "layerDropout", "0.5"), {"layerDropout": ["0.5", "same"]}),
    "input x1": (click("input-x"), {"x": False}),
    "input x2": (click("input-y"), {"y": False}),
    "input x1 squared": (click("input-xSquared"), {"xSquared": True}),
    "input x2 squared": (click("input-ySquared"), {"ySquared": True}),
    "input x1 x2": (click("input-xTimesY"), {"xTimesY": True}),
    "input sin x1": (click("input-sinX"), {"sinX": True}),
    "input sin x2": (click("input-sinY"), {"sinY": True}),
}


@pytest.fixture(scope="module")
def shared_page(browser, lab_url):
    """One page for the controls' tests; each starts from its link."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=lab_url)
    page = context.new_page()
    page.goto("/exhibits/playground")
    expect(page.get_by_test_id("train-loss")).not_to_be_empty(timeout=120_000)
    yield page
    context.close()


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_changes_the_numbers_as_python_says(shared_page, name):
    page = shared_page
    act, settings = CONTROLS[name]
    page.evaluate("link => (location.hash = link)", f"dataset=gauss&noise=50&check={name}")
    expect_numbers(page, computed(dataset="gauss", noise=50))
    act(page)
    now = {"dataset": "gauss", "noise": 50, **settings}
    expect_numbers(page, computed(**now))
    for _ in range(N_STEPS):
        page.get_by_test_id("step").click()
    expect_numbers(page, computed(N_STEPS, **now))
    expect_link(page, now)


def expect_link(page, settings: dict) -> None:
    """The address names every setting, those just changed among them."""
    linked = dict(parse_qsl(urlsplit(page.url).fragment, keep_blank_values=True))
    expected = PlaygroundSettings.model_validate(settings)
    assert PlaygroundSettings.from_link({name: value for name, value in linked.items() if name != "speed"}) == (
        expected,
        [],
    )


def test_the_other_regression_set(shared_page):
    shared_page.evaluate("location.hash = 'problem=regression&check=set'")
    expect_numbers(shared_page, computed(problem="regression"))
    tile("regDataset-reg-gauss")(shared_page)
    expect_numbers(shared_page, computed(problem="regression", regDataset="reg-gauss"))
    expect(shared_page.get_by_test_id("test-error")).to_be_hidden()


OWN = {"dataset": "own"}


def click_map(page, x1: float, x2: float) -> None:
    page.get_by_test_id("map").scroll_into_view_if_needed()
    box = page.get_by_test_id("map").bounding_box()
    page.mouse.click(box["x"] + (x1 + 6) / 12 * box["width"], box["y"] + (6 - x2) / 12 * box["height"])


def points_of(page, n_points: int) -> list[float]:
    page.wait_for_function(
        "n => new URLSearchParams(location.hash.slice(1)).get('points').split(',').length === 3 * n", arg=n_points
    )
    return [float(value) for value in dict(parse_qsl(urlsplit(page.url).fragment))["points"].split(",")]


def test_points_of_ones_own_are_set_erased_and_linked(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'check=own'")
    expect_numbers(page, computed())
    tile("dataset-own")(page)
    expect_numbers(page, computed(**OWN))
    tile("newPoint-negative")(page)
    expect_link_value(page, "newPoint", "negative")
    click_map(page, 0, 4)
    expect(page.get_by_test_id("notice")).to_be_hidden()
    points = points_of(page, 9)
    assert points[-3:] == pytest.approx([0, 4, 0], abs=0.1)
    expect_numbers(page, computed(**OWN, points=points))
    tile("newPoint-erase")(page)
    expect_link_value(page, "newPoint", "erase")
    click_map(page, 2, 2)
    fewer = points_of(page, 8)
    assert fewer == points[3:]
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(1, **OWN, points=fewer))
    values = computed(1, **OWN, points=fewer).frame().values
    assert run_script(page)[:2] == [f"train loss {values['trainLoss']:.4f}", f"test loss {values['testLoss']:.4f}"]


def test_a_csv_file_is_opened_and_a_wrong_one_refused(shared_page):
    page = shared_page
    rows = [(i % 7 - 3, i % 5 - 2, i % 2) for i in range(60)]
    page.evaluate("location.hash = 'dataset=own&check=csv'")
    expect_numbers(page, computed(**OWN))
    page.get_by_test_id("csv").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"1,2\n"})
    expect(page.get_by_test_id("notice")).to_contain_text("Line 1: a row is x1,x2,class; got '1,2'.")
    expect_numbers(page, computed(**OWN))
    text = "x1,x2,class\n" + "\n".join(",".join(map(str, row)) for row in rows)
    page.get_by_test_id("csv").set_input_files({"name": "b.csv", "mimeType": "text/csv", "buffer": text.encode()})
    settings = PlaygroundSettings.model_validate({**OWN, "points": []})
    expect_numbers(page, Playground(settings, np.array(rows, float)))
    page.evaluate("location.hash = 'check=after'")
    expect_numbers(page, computed())


def test_a_new_seed_is_drawn(shared_page):
    shared_page.evaluate("location.hash = 'seed=3&check=seed'")
    expect_numbers(shared_page, computed(seed=3))
    shared_page.get_by_test_id("seed-new").click()
    expect(shared_page.get_by_test_id("seed")).not_to_have_value("3")
    expect_numbers(shared_page, computed(seed=int(shared_page.get_by_test_id("seed").input_value())))


def test_the_last_input_cannot_be_switched_off(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'y=false&check=input'")
    expect_numbers(page, computed(y=False))
    page.get_by_test_id("input-x").click()
    expect(page.get_by_test_id("notice")).to_contain_text("The network needs at least one input")
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(1, y=False))


def test_show_classes_only_paints_two_colours_in_pythons_shares(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'dataset=xor&step=400&check=classes'")
    playground = computed(400, dataset="xor")
    expect_numbers(page, playground)
    page.get_by_test_id("discretize").check()
    expect_link_value(page, "discretize", "true")
    is_positive = playground.frame().arrays["map"] >= 128
    counts = sorted(pixel_counts(page, "[data-testid=map] canvas:first-child").values())
    assert counts == sorted([is_positive.sum(), (~is_positive).sum()])


def test_show_test_data_draws_the_test_points(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'dataset=xor&check=test'")
    expect_numbers(page, computed(dataset="xor"))
    points = "[data-testid=map] canvas:nth-child(2)"
    before = pixel_counts(page, points)["0,0,0,0"]
    page.get_by_test_id("showTestData").check()
    expect_link_value(page, "showTestData", "true")
    assert pixel_counts(page, points)["0,0,0,0"] < 0.9 * before


def expect_link_value(page, name: str, value: str) -> None:
    page.wait_for_function(
        "([name, value]) => new URLSearchParams(location.hash).get(name) === value", arg=[name, value]
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixel_counts(page, canvas: str) -> dict[str, int]:
    """Return how many pixels of a canvas have each colour."""
    return page.evaluate(
        """selector => {
            const canvas = document.querySelector(selector);
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            const counts = {};
            for (let i = 0; i < data.length; i += 4) {
                const colour = data.slice(i, i + 4).join();
                counts[colour] = (counts[colour] ?? 0) + 1;
            }
            return counts;
        }""",
        canvas,
    )


def test_a_unit_opens_and_tells_its_numbers(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'step=200&check=unit'")
    playground = computed(200)
    expect_numbers(page, playground)
    page.get_by_test_id("unit-2-1").click()
    expect(page.get_by_test_id("map-title")).to_have_text("Unit 1 of layer 2")
    (bias, _), weights = playground.network.intercepts_[1], playground.network.coefs_[1][:, 0]
    names = [f"from unit {i + 1}" for i in range(4)]
    numbers = [f"bias {bias:.2f}", *(f"{name} {weight:.2f}" for name, weight in zip(names, weights, strict=True))]
    expect(page.get_by_test_id("inspector")).to_have_text("Unit 1 of layer 2" + "".join(numbers).replace("-", "\u2212"))
    page.get_by_test_id("map").focus()
    for key, times in (("ArrowRight", 4), ("ArrowUp", 8)):
        for _ in range(times):
            page.keyboard.press(key)
    value = playground.network.activations([[1.0, 2.0]])[1][0, 0]
    text = f"x\u2081 1.00, x\u2082 2.00: activation {value:.3f}".replace("-", "\u2212")
    expect(page.get_by_test_id("probe")).to_have_text(text)
    page.get_by_test_id("show-output").click()
    expect(page.get_by_test_id("map-title")).to_have_text("Output")


def shown(value: float) -> str:
    return f"{value:.6f}".replace("-", "\u2212")


def expect_update(page, playground: Playground) -> dict[str, float]:
    """The card tells the terms that Python computes; return them."""
    frame = playground.frame()
    terms = frame.values["update"]["terms"]
    cells = page.get_by_test_id("update-terms").locator("td")
    expect(cells.last).to_have_text(shown(terms["after"]))
    expect(cells.first).to_have_text(shown(terms["weight"]))
    expect(cells.nth(1)).to_have_text(shown(terms["gradient"]))
    numbers = [f"{terms[name]:.6f}" for name in ("weight", "rate", "gradient", "decay", "after")]
    formula = "{} \u2212 {} \u00b7 ({} + {}) = {}".format(*numbers).replace("-", "\u2212")
    expect(page.get_by_test_id("update-formula")).to_have_text(formula)
    below, delta, product = (shown(float(value)) for value in frame.arrays["updateSamples"][0])
    expect(page.get_by_test_id("update-samples").locator("tbody tr").first).to_have_text(f"1{below}{delta}{product}")
    return terms


def test_one_update_is_worked_through_and_the_network_makes_it(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'step=50&alpha=3&look=1,2&noise=20&check=update'")
    settings = {"alpha": 3, "noise": 20, "weight": [1, 2, 2]}
    expect_numbers(page, computed(50, alpha=3, noise=20))
    expect(page.get_by_test_id("update-close")).to_be_hidden()
    page.get_by_test_id("weight-2").click()
    expect(page.get_by_test_id("update-name")).to_have_text("w from x\u2082 to Unit 2 of layer 1")
    terms = expect_update(page, computed(50, **settings))
    page.get_by_test_id("step").click()
    after = expect_update(page, computed(51, **settings))
    assert after["weight"] == terms["after"]
    assert run_script(page)[3:5] == [
        f"weight {after['weight']:.6f}", f"weight after one more step {after['after']:.6f}",
    ]  # fmt: skip
    page.get_by_test_id("update-close").click()
    expect(page.get_by_test_id("update-name")).to_be_hidden()


def test_a_line_opens_its_update(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'networkShape=1&y=false&step=20&solver=adam&check=lineupdate'")
    settings = {"networkShape": [1], "y": False, "solver": "adam"}
    expect_numbers(page, computed(20, **settings))
    start, stop = page.get_by_test_id("input-x").bounding_box(), page.get_by_test_id("unit-1-1").bounding_box()
    page.mouse.click((start["x"] + start["width"] + stop["x"]) / 2, (start["y"] + stop["y"] + stop["height"]) / 2)
    terms = computed(20, weight=[1, 1, 1], **settings).frame().values["update"]["terms"]
    cells = page.get_by_test_id("update-terms").locator("td")
    expect(cells.last).to_have_text(shown(terms["after"]))
    assert cells.count() == len(terms)


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_many_seeds_tell_their_spread(shared_page, problem):
    page = shared_page
    page.evaluate("link => (location.hash = link)", f"problem={problem}&noise=20&seed=4&check=seeds{problem}")
    expect_numbers(page, computed(problem=problem, noise=20, seed=4))
    choose("seeds", "5")(page)
    for _ in range(N_STEPS):
        page.get_by_test_id("step").click()
    playground = computed(N_STEPS, problem=problem, noise=20, seed=4, seeds=5)
    expect_numbers(page, playground)
    values, form = playground.frame().values["seeds"], ".1%" if problem == "classification" else ".4f"
    texts = {name: format(values[name], form) for name in ("median", "low", "high")}
    for name, text in texts.items():
        expect(page.get_by_test_id(f"seeds-{name}")).to_have_text(text)
    expect(page.get_by_test_id("seed-errors").locator(".graph-bar")).to_have_count(5)
    what = "error" if problem == "classification" else "loss"
    line = f"test {what} of 5 seeds: median {texts['median']}, {texts['low']} to {texts['high']}"
    assert line in run_script(page)


@pytest.mark.parametrize("name", ["svm", "neighbours", "forest"])
def test_another_classifier_stands_beside_the_network(shared_page, name):
    page = shared_page
    page.evaluate("link => (location.hash = link)", f"dataset=spiral&noise=30&check=rival{name}")
    settings = {"dataset": "spiral", "noise": 30}
    expect_numbers(page, computed(**settings))
    choose("rival", name)(page)
    rival = computed(**settings, rival=name).scene().values["rival"]
    expect(page.get_by_test_id("rival-test-error")).to_have_text(f"{rival['testError']:.1%}")
    expect(page.get_by_test_id("rival-train-error")).to_have_text(f"{rival['trainError']:.1%}")
    expect(page.get_by_test_id("rival-code")).to_have_text(f"{rival['code']}, fitted to 250 points")
    assert f"rival's test error {rival['testError']:.1%}" in run_script(page)
    settle(page)
    counts = pixel_counts(page, "[data-testid=rival-map] canvas:first-child")
    assert len(counts) > 1  # both classes are drawn


def test_pointing_at_a_line_tells_its_weight(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'networkShape=1&y=false&step=50&check=line'")
    playground = computed(50, networkShape=[1], y=False)
    expect_numbers(page, playground)
    start, stop = page.get_by_test_id("input-x").bounding_box(), page.get_by_test_id("unit-1-1").bounding_box()
    page.mouse.move((start["x"] + start["width"] + stop["x"]) / 2, (start["y"] + stop["y"] + stop["height"]) / 2)
    weight = f"{playground.network.coefs_[0][0, 0]:.2f}".replace("-", "\u2212")
    expect(page.get_by_test_id("weight-tip")).to_have_text(f"x\u2081 \u2192 Unit 1 of layer 1: weight {weight}")


def test_play_pause_time_and_reset(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'noise=25&check=time'")
    expect_numbers(page, computed(noise=25))
    page.get_by_test_id("speed").select_option("5")
    page.get_by_test_id("play").click()
    page.wait_for_function("() => Number(document.querySelector('[data-testid=time]').max) >= 60")
    page.get_by_test_id("play").click()
    settle(page)
    last = int(page.get_by_test_id("last-step").inner_text())
    expect_numbers(page, computed(last, noise=25))
    page.get_by_test_id("time").fill("37")
    expect_numbers(page, computed(37, noise=25))
    expect(page.get_by_test_id("last-step")).to_have_text(str(last))
    page.get_by_test_id("time").press("ArrowLeft")
    expect_numbers(page, computed(36, noise=25))
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(37, noise=25))
    page.get_by_test_id("reset").click()
    expect_numbers(page, computed(noise=25))
    expect(page.get_by_test_id("last-step")).to_have_text("0")


def test_the_space_bar_plays_and_pauses(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'check=space'")
    expect_numbers(page, computed())
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    expect(page.get_by_test_id("step-number")).not_to_have_text("0")
    page.keyboard.press(" ")
    expect(page.get_by_test_id("play")).to_have_attribute("aria-label", "Play")


def test_a_divergence_is_told_beside_the_exhibit_which_goes_on(shared_page):
    page = shared_page
    page.evaluate("location.hash = 'problem=regression&activation=identity&learningRate=10&check=diverge'")
    expect_numbers(page, computed(problem="regression", activation="identity", learningRate=10))
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("notice")).to_contain_text("The loss became")
    page.get_by_test_id("learningRate").select_option("0.03")
    expect(page.get_by_test_id("notice")).to_be_hidden()
    page.get_by_test_id("step").click()
    expect_numbers(page, computed(1, problem="regression", activation="identity"))


# whole visits


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_spiral_is_learned_through_the_pages_own_controls(page, seed):
    page.goto("/exhibits/playground")
    tile("dataset-spiral")(page)
    fill("noise", "0")(page)
    click("input-sinX", "input-sinY", *["layer-1-add"] * 4, *["layer-2-add"] * 6)(page)
    choose("solver", "adam")(page)
    choose("learningRate", "0.01")(page)
    fill("seed", str(seed))(page)
    choose("speed", "100")(page)
    page.get_by_test_id("play").click()
    page.wait_for_function(
        """() => {
            const read = (id) => parseFloat(document.querySelector(`[data-testid=${id}]`).textContent);
            return read("epoch-number") > 0 && read("test-error") < 5;
        }""",
        timeout=60_000,
    )
    printed = run_script(page)
    kinds = ("train-loss", "test-loss", "test-error")
    shown = [f"{kind.replace('-', ' ')} {page.get_by_test_id(kind).inner_text()}" for kind in kinds]
    assert printed[:3] == shown
    assert float(page.get_by_test_id("test-error").inner_text().removesuffix("%")) < 5


def test_a_copied_link_opens_at_the_same_step_with_the_same_numbers(page):
    page.goto("/exhibits/playground#dataset=spiral&noise=10&networkShape=6&seed=11&step=150")
    playground = computed(150, dataset="spiral", noise=10, networkShape=[6], seed=11)
    expect_numbers(page, playground)
    page.get_by_test_id("copy-link").click()
    page.wait_for_function("() => location.hash.includes('step=150')")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    expect_numbers(page, playground)


def test_a_bad_link_opens_and_says_what_was_left_out(page):
    page.goto("/exhibits/playground#noise=90&dataset=xor&hats=3")
    expect(page.get_by_test_id("notice")).to_contain_text("noise: got '90'; input should be less than or equal to 50.")
    expect(page.get_by_test_id("notice")).to_contain_text("hats: got '3'; extra inputs are not permitted.")
    expect_numbers(page, computed(dataset="xor"))


def test_after_a_lost_connection_the_page_is_where_it_was(browser):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    launch = [sys.executable, "-c", f"from glassnet.lab import launch; launch(port={port}, open_browser=False)"]
    playground = computed(70, noise=30)
    page = browser.new_page()
    with subprocess.Popen(launch, stdout=subprocess.PIPE, text=True, env=os.environ) as first:
        first.stdout.readline()
        page.goto(f"http://127.0.0.1:{port}/exhibits/playground#noise=30&step=70")
        expect(page.get_by_test_id("step-number")).to_have_text("70", timeout=30_000)
        first.send_signal(signal.SIGINT)
    expect(page.get_by_test_id("notice")).to_contain_text("The connection is lost")
    with subprocess.Popen(launch, stdout=subprocess.PIPE, text=True, env=os.environ) as second:
        second.stdout.readline()
        expect(page.get_by_test_id("notice")).to_be_hidden(timeout=30_000)
        expect_numbers(page, playground)
        page.get_by_test_id("step").click()
        expect_numbers(page, computed(71, noise=30))
        second.send_signal(signal.SIGINT)
    page.close()


# looks


@pytest.mark.parametrize("width", [1280, 800, 390])
@pytest.mark.parametrize(
    "link",
    [
        "",
        "#networkShape=8,8,8,8,8,8&xSquared=true&sinX=true&look=2,1",
        "#norm=batch&dropout=0.2&seeds=5&rival=svm&look=1,2&weight=1,1,2&solver=adam&problem=classification",
        "#seeds=5&weight=1,1,2&look=1,2&solver=momentum",
    ],
)
def test_nothing_sticks_out_of_the_page(page, width, link):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"/exhibits/playground{link}")
    expect(page.get_by_test_id("unit-output")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if width >= 800:  # large type is for a projector
        page.get_by_test_id("large-type").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_theme_follows_the_system_and_the_button(page):
    page.emulate_media(color_scheme="dark")
    page.goto("/exhibits/playground")
    expect(page.get_by_test_id("unit-output")).to_be_visible()
    brightness = "parseInt(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    dark_map = pixel_counts(page, "[data-testid=unit-output] canvas")
    assert page.evaluate(brightness) < 40
    page.get_by_test_id("theme").click()
    assert page.evaluate(brightness) > 215
    settle(page)
    assert pixel_counts(page, "[data-testid=unit-output] canvas") != dark_map
    page.reload()
    expect(page.get_by_test_id("unit-output")).to_be_visible()
    assert page.evaluate(brightness) > 215


def test_everything_that_can_be_used_has_a_name(page):
    page.goto("/exhibits/playground")
    expect(page.get_by_test_id("unit-output")).to_be_visible()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, [role]")].filter((element) => {
            const label = element.getAttribute("aria-label") || element.labels?.[0]?.textContent.trim();
            return !label && !element.textContent.trim() && !element.closest("[hidden]");
        }).map((element) => element.outerHTML)"""
    )
    assert nameless == []


def test_the_first_page_leads_to_the_playground(page):
    page.goto("/")
    page.get_by_test_id("open-playground").click()
    expect_numbers(page, computed())


def test_an_embedded_page_has_no_header(page):
    page.goto("/exhibits/playground?embed=1")
    expect(page.get_by_test_id("train-loss")).not_to_be_empty()
    expect(page.locator(".bar")).to_be_hidden()
