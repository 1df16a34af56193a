"""The history that glassnet tells, 1943 to 2017: one plain table.

The lab's first page, ``glassnet list history`` and the docs read it; an exhibit stands
with the moment that it lets one live through. Nothing heavy is imported here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Moment:
    """One moment of the history.

    Parameters
    ----------
    year : int
    title : str
        What happened, in a few words.
    people : str
        Who did it.
    source : str
        Where it was published.
    story : str
        What it means, in two or three sentences.
    exhibits : tuple of str
        Names in `glassnet.registry.EXHIBITS`; none where the story is all there is.
    winter : bool
        Whether money and interest went away.
    """

    year: int
    title: str
    people: str
    source: str
    story: str
    exhibits: tuple[str, ...] = ()
    winter: bool = False


HISTORY: tuple[Moment, ...] = (
    Moment(
        1943,
        "The first neuron on paper",
        "Warren McCulloch, Walter Pitts",
        "A logical calculus of the ideas immanent in nervous activity, Bulletin of Mathematical Biophysics 5",
        "A neuron that fires when a weighted sum reaches a threshold is a gate of logic. Nets of such neurons compute "
        "every logical formula, and so add and multiply. Nobody had yet said how they might learn.",
        ("neuron",),
    ),
    Moment(
        1958,
        "The Perceptron learns",
        "Frank Rosenblatt",
        "The perceptron: a probabilistic model for information storage and organization in the brain, "
        "Psychological Review 65",
        "After every mistake the weights move by the sample that was got wrong. If a line can separate the two "
        "classes, this finds one after finitely many mistakes; the machine that did it had its weights on motors.",
        ("perceptron",),
    ),
    Moment(
        1960,
        "Adaline learns from how wrong it is",
        "Bernard Widrow, Marcian Hoff",
        "Adaptive switching circuits, IRE WESCON Convention Record, part 4",
        "The error is measured before the threshold, so that it is a smooth bowl over the weights, and the weights "
        "roll down in it. Every network of today still learns by that idea.",
        ("adaline",),
    ),
    Moment(
        1969,
        "Perceptrons, and the first winter",
        "Marvin Minsky, Seymour Papert",
        "Perceptrons: An Introduction to Computational Geometry, MIT Press",
        "One layer cannot compute XOR, nor see from small patches whether a figure hangs together. Several layers "
        "could, but nobody knew how to train them. The money left, and so did most people.",
        winter=True,
    ),
    Moment(
        1982,
        "A memory that is a landscape",
        "John Hopfield",
        "Neural networks and physical systems with emergent collective computational abilities, PNAS 79",
        "Each stored pattern is a valley, and a damaged one rolls down into it, because every change of a unit "
        "lowers one energy. A physicist brought the field back to life.",
        ("hopfield",),
    ),
    Moment(
        1986,
        "Backpropagation",
        "David Rumelhart, Geoffrey Hinton, Ronald Williams; James McClelland and the PDP group",
        "Learning representations by back-propagating errors, Nature 323; Parallel Distributed Processing, MIT Press",
        "The chain rule carries the error back through every layer, so that hidden units find out what to stand "
        "for. XOR, out of reach in 1969, takes two of them.",
        ("playground", "activations", "descent", "layers", "loss", "anyfunction", "overfit"),
    ),
    Moment(
        1987,
        "The first conference of its own",
        "Maureen Caudill, Charles Butler (editors)",
        "IEEE First International Conference on Neural Networks, San Diego, June 1987",
        "Physicists, psychologists and engineers met in San Diego for a field that had been given up for dead. "
        "Companies were founded, chips were built, and promises were made.",
    ),
    Moment(
        1992,
        "Statistical learning theory, and the second winter",
        "Vladimir Vapnik, Bernhard Boser, Isabelle Guyon, Corinna Cortes",
        "A training algorithm for optimal margin classifiers, COLT 1992; Support-vector networks, "
        "Machine Learning 20, 1995",
        "The support vector machine has one best solution, a bound on its error and no knobs that need luck. Networks "
        "had local minima and folklore. For a decade, most people chose the theorem.",
        ("ridge",),
        winter=True,
    ),
    Moment(
        1998,
        "LeNet-5 reads cheques",
        "Yann LeCun, Leon Bottou, Yoshua Bengio, Patrick Haffner",
        "Gradient-based learning applied to document recognition, Proceedings of the IEEE 86",
        "A small patch of weights slides over the whole picture, so that a stroke is known wherever it is. Sixty "
        "thousand weights read several million cheques a day, in the middle of the winter.",
        ("lenet", "connections"),
    ),
    Moment(
        2000,
        "A word to avoid",
        "The organizers of NIPS, as Patrice Simard, Dave Steinkraus and John Platt recall",
        "Best practices for convolutional neural networks applied to visual document analysis, ICDAR 2003",
        "At the conference whose name speaks of neural processing, having \u201cneural networks\u201d in a title went "
        "with a lower chance of being accepted. Few stayed. They went on anyway.",
        winter=True,
    ),
    Moment(
        2006,
        "Deep belief networks",
        "Geoffrey Hinton, Simon Osindero, Yee-Whye Teh",
        "A fast learning algorithm for deep belief nets, Neural Computation 18",
        "Many layers can be trained after all: one at a time, each to model what the one below it makes of the data. "
        "Such a net can also dream up digits. The word \u201cdeep\u201d is from here on.",
        ("dbn",),
    ),
    Moment(
        2012,
        "AlexNet",
        "Alex Krizhevsky, Ilya Sutskever, Geoffrey Hinton",
        "ImageNet classification with deep convolutional neural networks, NIPS 25",
        "LeNet's idea with sixty million weights, a million photos and two graphics cards: the right answer was not "
        "among five guesses in 15.3% of cases, where the next best entry had 26.2%. The field changed within a year.",
        ("resnet",),
    ),
    Moment(
        2013,
        "DeCAF: what was learned is of use elsewhere",
        "Jeff Donahue, Yangqing Jia, Oriol Vinyals, Judy Hoffman, Ning Zhang, Eric Tzeng, Trevor Darrell",
        "DeCAF: a deep convolutional activation feature for generic visual recognition, arXiv:1310.1531",
        "Take the last layers of a trained network as features for another task, and a simple classifier on top "
        "beats what was made for that task by hand. Its t-SNE maps show why: alike lies near alike.",
        ("representations", "model"),
    ),
    Moment(
        2015,
        "Residual networks",
        "Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
        "Deep residual learning for image recognition, arXiv:1512.03385",
        "Deeper plain networks had larger errors even on what they were trained on. If each block only adds to its "
        "input, doing nothing is easy, and a hundred and fifty-two layers train.",
        ("normalization", "resnet"),
    ),
    Moment(
        2017,
        "The Transformer",
        "Ashish Vaswani, Noam Shazeer, Niki Parmar, Jakob Uszkoreit, Llion Jones, Aidan Gomez, Lukasz Kaiser, "
        "Illia Polosukhin",
        "Attention is all you need, NIPS 30",
        "No convolution and no recurrence: each word looks at every other and takes what it needs. Made for "
        "translation, it became the network of nearly everything.",
        ("transformer",),
    ),
)


def markdown() -> str:
    """Return the table as a page of the docs."""
    lines = [
        "# The history",
        "",
        "`glassnet list history --markdown > docs/history.md` writes this page; `glassnet lab` shows the same table",
        "with its exhibits.",
        "",
        "| year | what | who | published | exhibits |",
        "|---|---|---|---|---|",
    ]
    for moment in HISTORY:
        cells = (moment.year, moment.title, moment.people, moment.source, ", ".join(moment.exhibits))
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"
