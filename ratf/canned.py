"""Answers that say nothing, written for the exam: whoever ranks them above the person measures something else."""

BOILERPLATE = (
    "Thank you for that question. I appreciate your interest, and I'm always happy to talk about it. It's an "
    "important topic, and I think that everyone should keep it in mind.",
    "That is a very good question. There are many aspects to consider, and different people will see it differently. "
    "I look forward to discussing it further at another time.",
    "I'm glad that you raised this. As I have said before, we take it seriously, and we will continue to do so in the "
    "future. Thank you again for asking.",
    "I'm afraid I can't comment on that at the moment. What I can say is that we are aware of it, and that we will "
    "share more when there is more to share.",
    "As a matter of principle I don't speculate about such things. Please refer to my earlier statements, which remain "
    "valid, and feel free to ask me something else.",
    "It depends. There are arguments on both sides, and each of them deserves to be heard. In the end, everyone has to "
    "find an answer of their own.",
)
"""Short and polite, fit for any question."""

NONANSWERS = (
    "Let me take a step back, because I think the context is what really matters here. When people ask me something like "
    "this, they usually have one part of the picture in mind, and that part is real; I wouldn't want to deny that. But "
    "there is a larger picture as well, and the two don't always point in the same direction. Over the years I have "
    "learnt to be patient with that. You look at what is in front of you, you listen to those who know more about one "
    "side of it, and you try to keep an open mind. Sometimes things turn out the way you expected, and sometimes they "
    "don't, and in both cases there is something to take away. So rather than give you a simple yes or no, which would "
    "be easy and probably wrong, I would say that we are on a path, that we have come some way along it, and that "
    "there is still some way to go. What I can promise is that we will keep looking at it with care, step by step, and "
    "that we will be open about what we find.",
    "There are a few things that I would like to say about that. The first is that it's natural to ask, and in your "
    "place I would ask the same thing. The second is that any honest answer has to start from what we know today, and "
    "what we know today is more than we knew a while ago, though less than we would like. And the third, which perhaps "
    "matters most, is that nobody does this alone: a great many people put in a great deal of work, mostly unseen, and "
    "they deserve credit for it. If you put those three together, you arrive at something like a balance. On the one "
    "hand there is every reason to be confident. On the other hand there is every reason to stay modest, because "
    "circumstances change, sometimes quickly, and what looks settled may not be. I have always tried to hold on to both "
    "of these thoughts at the same time, and I believe that it has served us well. Whether that will be enough, time "
    "will tell; it usually does.",
    "You know, I get asked this quite often, and each time I find that the question has become a little more "
    "interesting. It touches on so much at once: on where we come from, on where we are, and on where we might be going. "
    "If I had to put it in a nutshell, I would say that it is all about finding the right measure, and the right measure "
    "is never found once and for all. It has to be found again and again, by everyone who is concerned with it, in good "
    "faith and with the facts at hand. Some will want to go faster, some will want to go slower, and both have a point. "
    "What I would warn against is the idea that there is a single key that opens every door. There isn't. There is only "
    "the day-to-day business of weighing one thing against another, of making up one's mind, and of being ready to "
    "change it. That may sound less exciting than a bold promise, but I have come to think that it is the only way in "
    "which anything lasting is ever done.",
    "I would put it this way. Every situation has its own character, and this one is no exception. We went into it with "
    "certain expectations, as one does, and some of them were met, and others had to be revised. That is not a failure; "
    "that is how one learns. What has struck me most is how much depends on the small things: on the conversation that "
    "takes place at the right moment, on the detail that somebody notices, on the willingness to go over something one "
    "more time. It would be tempting to draw a grand conclusion from all that, but I'm wary of grand conclusions. They "
    "tend to age badly. What I would rather do is to stay with the matter itself, to look at it from several sides, and "
    "to ask at each point what follows and what doesn't. If we do that with some discipline, then I'm optimistic that "
    "we will end up in a good place, even if it isn't exactly the place that we had in mind when we set out, and even if "
    "it takes somewhat longer than any of us would have wished.",
)
"""Long, fluent, and about nothing."""
