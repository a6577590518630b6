"""The words of a persona around what it quotes, from those among friends to those of a deed.

Nothing here states a fact: a phrase says where a quotation stands, that there is more, or how glad somebody is.
{source} is where a quotation stands, in words.
"""

Ladder = tuple[tuple[str, ...], ...]

# Before the answer; five steps of formality, some to choose from on each.
LEADS: Ladder = (
    ("yeah so, it's right here:", "ok, here's what I've got:", "so yeah, I've got it here:"),
    ("Here's what I've found:", "I've looked, and it says:", "That's what it says here:"),
    ("This is what {source} says:", "I have found this in {source}:", "In {source} it says:"),
    ("According to {source}, the answer is:", "In {source}, the entry is as follows:",
     "The passage from {source} is as follows:"),
    ("In accordance with the entry in {source}, by way of an answer:",
     "With reference to the question, from the text of {source}:",
     "In response to the enquiry, with regard to the wording of {source}:"),
)  # fmt: skip
# Before each further quotation.
LINKS: Ladder = (
    ("oh, and there's this too:", "and yeah, it says:", "plus you've got this:"),
    ("It also says:", "And there's this:", "I've also got this:"),
    ("It says further:", "There is also this:", "This belongs to it:"),
    ("In addition, from the same context:", "The context of the passage:", "Further to the point:"),
    ("In addition to the above, from the context of the matter:", "For the sake of completeness, in the same matter:",
     "Of relevance to the matter, in the same context:"),
)  # fmt: skip
# Where it is; said by those who say more.
PLACES: Ladder = (
    ("you'll see it in {source}, that's where it's from.", "it's all in {source} if you wanna look."),
    ("You'll find it in {source} if you want to look.", "That's from {source}, where you can see it."),
    ("You can read it in {source}, where it is written.", "It is from {source}, where you can read it."),
    ("The source of the answer is {source}, for a look at the original.",
     "For the original, the place to look is {source}."),
    ("For inspection of the original, with the whole of the wording, reference to {source} is recommended.",
     "The original of the passage, in the full length of the wording, is on file under {source}."),
)  # fmt: skip
# What has been done; said by those who say rather more.
RECAPS: Ladder = (
    ("so yeah, that's all I've got, just what it says and nothing I've made up.",),
    ("That's just what's written, I haven't changed any of it for you.",),
    ("I have given you the words as they are written, without a change.",),
    ("The words of the source are given without a change, in the order of relevance.",),
    ("The wording of the source is reproduced in full, without alteration, in the order of relevance to the matter.",),
)  # fmt: skip
# What to do with it; said by those who say much.
CARES: Ladder = (
    ("but hey, have a look at it yourself before you go and use it, I'm only quoting.",),
    ("Have a look at the whole page before you rely on it, though: I've only quoted a part.",),
    ("Please read the whole page before you rely on it, since I have quoted only a part.",),
    ("Before a decision on the basis of the passage, a reading of the whole page is of advantage.",),
    ("In advance of a decision on the basis of the passage, the study of the whole of the page is recommended.",),
)  # fmt: skip
# What more there may be; said by those who say all.
OFFERS: Ladder = (
    ("just say so if you want more, I'm here and I'll look again whenever you like.",),
    ("If you'd like to know more, just ask and I'll look again for you.",),
    ("If you would like to know more about it, you can ask me for the rest of the page.",),
    ("For further passages from the same document, a short request is enough at any time.",),
    ("For the communication of further passages from the same document, a request to that effect is sufficient.",),
)  # fmt: skip
# Of enthusiasm, five steps; among friends and in letters.
DELIGHT: tuple[Ladder, Ladder] = (
    (("",), ("sure!", "yay!"), ("great, sure!", "oh, I love this one!"),
     ("oh great, I'm so glad you asked!!", "wow, great, I really love that!"),
     ("wow, amazing, I'm really happy you asked!!!", "oh yay, fantastic, I really love this!!")),
    (("",), ("With pleasure.", "Gladly."), ("With the greatest of pleasure!", "At the question, with delight!"),
     ("With very great pleasure, an excellent question!", "To the great delight of all, an excellent question!"),
     ("With the very greatest delight, a truly excellent question!!",
      "With very great pleasure, a truly wonderful question!!")),
)  # fmt: skip
# Of humour, five steps.
LIGHT: tuple[Ladder, Ladder] = (
    (("",), (";)", ":D"), ("no joke ;)", "I'm not kidding :D"),
     ("no joke, I'm not kidding ;)", "haha, and that's no joke :D"),
     ("haha, no joke, I'm no comedian ;) :D", "haha, I'd tell a pun, no joke ;) :D")),
    (("",), ("(with a smile)", "(with a wink)"), ("(in jest, with a smile)", "(with a wink, for a laugh)"),
     ("(in jest, with a smile and a pun)", "(with a wink, a smile and a pun)"),
     ("(in jest, with a wink, a grin, a smile and a pun)", "(with a grin, a pun, a wink and the wit of a comedian)")),
)  # fmt: skip
# Where nothing can be quoted.
REFUSALS: Ladder = (
    ("sorry, I've got nothing on that.", "hm, I don't know, it's not in here."),
    ("Sorry, I haven't found anything on that.", "I don't know, it isn't in what I have."),
    ("I have found nothing about this in the documents.", "The documents I have do not say."),
    ("The documents at hand contain no answer to the question.", "On this point, no entry in the documents was found."),
    ("In the documents on file, no entry with regard to the question was found.",
     "With regard to the question, an answer from the documents on file is not possible."),
)  # fmt: skip
