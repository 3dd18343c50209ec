namespace Nearline.Model.Data.Simulation;

/// <summary>What content is about; users love themes, shows mix them, tags and texts tell of them.</summary>
/// <param name="Genre">The tag that every show of the theme has.</param>
/// <param name="Tags">Finer tags, of which a show has some.</param>
/// <param name="Nouns">What titles are made of.</param>
/// <param name="Series">How common it is among series.</param>
/// <param name="Movie">How common it is among films.</param>
/// <param name="Live">How common it is among live programmes.</param>
internal sealed record Theme(string Genre, string[] Tags, string[] Nouns, double Series, double Movie, double Live)
{
    /// <summary>All themes; a small world has the first of them, so unlike ones come first.</summary>
    public static readonly Theme[] All =
    [
        New("crime", 3, 3, 0.2, "detective;heist;courtroom;undercover;cold case;mafia", "Alibi;Witness;Verdict;Informant;Ledger"),
        New("football", 0.5, 0.4, 4, "derby;cup final;transfer;stadium;coach;rivalry", "Derby;Kickoff;Striker;Matchday;Terrace"),
        New("comedy", 4, 3, 0.5, "sitcom;slapstick;satire;stand-up;mockumentary;roommates", "Neighbours;Landlord;Mishap;Punchline;Holiday"),
        New("news", 0.4, 0.1, 4, "headlines;interview;parliament;economy;weather;debate", "Bulletin;Roundtable;Dispatch;Briefing;Report"),
        New("space", 2, 2.5, 0.2, "starship;colony;first contact;android;wormhole;mars", "Orbit;Horizon;Signal;Voyager;Eclipse"),
        New("romance", 2.5, 3, 0.1, "wedding;first love;reunion;letters;small town;love triangle", "Promise;Summer;Letter;Dance;Harbour"),
        New("fantasy", 2, 2, 0.1, "dragon;sorcerer;prophecy;kingdom;quest;witch", "Crown;Spell;Realm;Raven;Throne"),
        New("music", 0.6, 0.8, 3, "concert;festival;orchestra;band;backstage;songwriting", "Encore;Chorus;Rhythm;Stage;Anthem"),
        New("documentary", 1.5, 1.5, 0.4, "archive;investigation;biography;expedition;science;history lesson", "Archive;Portrait;Account;Chronicle;Evidence"),
        New("horror", 1.2, 2.2, 0.05, "haunted house;exorcism;slasher;cult;possession;folk tale", "Cellar;Whisper;Hollow;Séance;Lantern"),
        New("family", 2, 2.2, 0.3, "talking animals;school;friendship;toys;bedtime;treehouse", "Puppy;Treehouse;Wagon;Kite;Lighthouse"),
        New("basketball", 0.3, 0.3, 2.5, "playoffs;draft;arena;buzzer beater;rookie;streetball", "Court;Tipoff;Rebound;Buzzer;Arena"),
        New("thriller", 2, 2.5, 0.1, "conspiracy;hostage;manhunt;double agent;blackmail;sleeper cell", "Deadline;Cipher;Hostage;Shadow;Protocol"),
        New("cooking", 1.6, 0.2, 1, "baking;street food;chef;restaurant;contest;family recipe", "Kitchen;Recipe;Table;Harvest;Oven"),
        New("history", 1.5, 1.6, 0.2, "empire;revolution;court intrigue;trenches;ancient rome;exploration", "Empire;Siege;Regent;Banner;Treaty"),
        New("superheroes", 1.2, 2.2, 0.05, "secret identity;team-up;villain;origin story;multiverse;sidekick", "Guardian;Nemesis;Cape;Titan;Vigil"),
        New("reality", 2, 0.1, 1.2, "dating show;makeover;island;talent contest;house swap;survival", "Island;Audition;Makeover;Villa;Challenge"),
        New("motorsport", 0.3, 0.3, 2, "grand prix;pit stop;rally;qualifying;endurance race;paddock", "Circuit;Paddock;Rally;Podium;Throttle"),
        New("animation", 2, 1.8, 0.05, "anime;puppets;stop motion;mecha;magical girl;shorts", "Robot;Comet;Ink;Garden;Puppet"),
        New("western", 0.5, 1.2, 0.02, "outlaw;frontier;sheriff;gold rush;cattle drive;duel", "Canyon;Outlaw;Saddle;Prairie;Marshal"),
        New("medical", 1.8, 0.4, 0.05, "surgeon;emergency room;diagnosis;residents;outbreak;field hospital", "Ward;Pulse;Clinic;Scalpel;Remedy"),
        New("nature", 1, 0.8, 0.3, "ocean;rainforest;predators;migration;arctic;night vision", "Reef;Glacier;Savanna;Wing;Tide"),
        New("war", 0.8, 1.6, 0.02, "platoon;resistance;submarine;siege;home front;codebreakers", "Convoy;Trench;Ceasefire;Battalion;Beacon"),
        New("gaming", 0.5, 0.2, 1.5, "esports;speedrun;tournament;retro;commentary;world final", "Respawn;Bracket;Arcade;Level;Guild"),
    ];

    /// <summary>How common the theme is in a category.</summary>
    public double In(int category) => category switch { 0 => Series, 1 => Movie, _ => Live };

    private static Theme New(string genre, double series, double movie, double live, string tags, string nouns) =>
        new(genre, tags.Split(';'), nouns.Split(';'), series, movie, live);
}
