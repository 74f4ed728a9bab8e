"""What each label means, in a sentence or two for a reviewer who has to decide.

Our own words, made for this app.
"""

_OTHER = "Any other name: films, songs, events, awards, products, nationalities. Not dates, prices or nouns."

ENTITIES: dict[str, str] = {
    "PER": "A person, or people known by name: Kevin Durant, the Obamas. Mark the name without titles (Mr, "
    "President); an account name counts where it stands for the person.",
    "LOC": "A place: country, city, street, river, or a building named as a place, such as Oracle Arena. "
    "A team or government named after a place is ORG.",
    "ORG": "A company, team, band, school, party or institution: NASA, the Warriors. Its venue is LOC.",
    "MISC": _OTHER,
    "OTHER": _OTHER,
}

RELATIONS: dict[str, str] = {
    "None": "Text and photo state none of the other relations between the two, however likely it may be.",
    "/per/per/peer": "Two people do something together: team mates, band members, co-stars, rivals.",
    "/per/org/member_of": "The person belongs to the organisation: plays, works, sings or studies there.",
    "/loc/loc/contain": "One of the two places lies inside the other: Oakland, California.",
    "/per/misc/present_in": "The person appears in the named thing: a film, a show, an event, a song.",
    "/org/loc/locate_at": "The organisation has its seat, venue or branch in the place.",
    "/per/loc/place_of_residence": "The person lives, works or stays there. A mere mention is no relation.",
    "/misc/loc/held_on": "The event or thing takes place at the place.",
    "/org/org/subsidiary": "One organisation owns the other or is part of it: a team of a league.",
    "/per/per/alternate_names": "Two names of one person, such as a name and an account.",
    "/per/per/couple": "The two are married, engaged or in a relationship.",
    "/per/misc/nationality": "The second names the person's nationality or people.",
    "/misc/misc/part_of": "One named thing is part of the other: an episode of a series, a song of an album.",
    "/org/org/alternate_names": "Two names of one organisation, such as its short form or its account.",
    "/per/loc/place_of_birth": "The person was born in the place, and the post says so.",
    "/per/misc/awarded": "The person won or was given the named award or title.",
    "/per/per/charges": "One person accuses, sues, attacks or arrests the other.",
    "/per/per/parent": "One is the other's mother or father.",
    "/per/per/siblings": "The two are brothers or sisters.",
    "/per/per/neighbor": "The two live next to each other.",
    "/per/per/alumi": "The two went to the same school (spelt so in the data).",
    "/per/misc/religion": "The second names the person's religion.",
    "/per/misc/race": "The second names the person's ethnic group.",
}
