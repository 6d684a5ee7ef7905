"""The templates from which texts are made, with {topic} and {keyword} to be filled in."""

from __future__ import annotations

SENTENCES = (
    "Few things reward a closer look as much as {topic}.",
    "Ask anyone about {topic} and {keyword} comes up within a minute.",
    "Behind {topic} stands a simple idea: {keyword} matters more than it seems.",
    "To understand {topic}, begin with {keyword} and work outwards.",
    "What surprises most people about {topic} is how ordinary it looks at first.",
    "Every story of {topic} is also a story of {keyword}.",
    "The numbers behind {topic} are larger than most of us would guess.",
    "Watch {keyword} closely, and the rest of {topic} falls into place.",
    "Nobody planned for {topic} to change so much, yet it did.",
    "Today {topic} touches more of our lives than ever before.",
    "Experts still argue about {keyword}, and that is what keeps {topic} alive.",
    "Remember this one thing about {topic}: it begins and ends with {keyword}.",
    "Take {keyword} away, and very little of {topic} is left.",
    "For a long time {keyword} was a footnote; now it leads the way.",
    "You have met {topic} before, perhaps without knowing its name.",
    "There is a reason why {keyword} keeps coming back.",
    "Most mistakes with {topic} are made in the first few minutes.",
    "Good questions about {keyword} are worth more than quick answers.",
    "Look at {topic} from the side, and {keyword} comes into view.",
    "What is true of {keyword} today may not be true tomorrow.",
    "The best way into {topic} is the one you can try at home.",
    "Somebody had to notice {keyword} first, and it took years.",
    "Put simply, {topic} is easier to see than to explain.",
    "Before you go on, picture {keyword} in front of you.",
)
TITLES = (
    "{topic}: What Nobody Tells You",
    "The Surprising Truth About {topic}",
    "{topic} Explained in One Minute",
    "Why {topic} Matters More Than You Think",
    "Inside {topic}: A Closer Look",
    "{topic}, From the Beginning",
    "{topic} and {keyword}: The Missing Link",
    "Where {keyword} Meets {topic}",
    "What {keyword} Has to Do With {topic}",
    "{topic}: The Turning Point",
    "The Future of {topic}",
    "{topic}, and What to Do Next",
)
PICTURES = (
    "A wide shot of {topic} at dawn, {keyword} in the foreground, warm light from the left",
    "An extreme close-up of {keyword}, {topic} out of focus behind it, deep shadows",
    "A split image: {keyword} on one side, {topic} on the other, bold contrast",
    "A bird's-eye view of {topic}, {keyword} picked out by a single beam of light",
    "A slow pan across {topic} that comes to rest on {keyword}, soft daylight",
    "Hands at work on {keyword}, {topic} reflected in a window behind, cool tones",
    "A clean diagram of {topic} on a dark ground, {keyword} drawn in one bright colour",
    "A time-lapse of {topic} from morning to night, {keyword} never leaving the frame",
)
OVERLAYS = ("The {keyword} secret", "Why {keyword}?", "{keyword}: look again", "Before {keyword}", "Not just {keyword}")
CALLS = (
    "Follow for more about {topic}.",
    "Tell us in the comments what {topic} means to you.",
    "Share this with someone who should know about {topic}.",
)
FLAWS = (
    "blurry",
    "low contrast",
    "watermark",
    "cluttered background",
    "distorted proportions",
    "overexposed",
    "illegible text",
    "extra fingers",
    "jpeg artefacts",
    "bad cropping",
    "dull colours",
    "duplicate objects",
)
REMARKS = (
    "Look closer.",
    "That matters.",
    "Here is why.",
    "Think about that.",
    "It starts right here.",
    "And that is new.",
    "There is more to come.",
    "Keep that picture in mind.",
    "That is only half of it.",
    "Nothing about this is an accident.",
)
SHORTEST = "Look."
COMPANIONS = ("its history", "the science behind it", "the people involved", "its scale")
