//! The phrases that tell of a happening, and what they need around them.
//!
//! A pattern is words with spaces between: `a|b` is one of them, `a+` is any form of a regular verb, `@a` is one of a set of [`SETS`], a word with
//! `?` may be missing, `!a|b` is where none of these words follows, and `~` stands for up to six words at which no clause ends, `~~` for up to fourteen, and `&a|b` asks
//! for one of these words within twelve of the phrase, in its sentence. Words
//! are in small letters; Han characters and Hangul syllables count one by one, so that `a|b c|d` of them is every first with every second. How they are
//! read: `slots`. Here are those of English, of what states do in `state` and of what companies do in `trade`; those of other languages
//! are in `abroad`.

mod state;
mod trade;

/// A kind of happening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ExportRestriction,
    Sanction,
    Tariff,
    Subsidy,
    Earnings,
    ProductLaunch,
    SupplyDeal,
    Investment,
    Acquisition,
    CapacityExpansion,
    Lawsuit,
}

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::ExportRestriction,
        Self::Sanction,
        Self::Tariff,
        Self::Subsidy,
        Self::Earnings,
        Self::ProductLaunch,
        Self::SupplyDeal,
        Self::Investment,
        Self::Acquisition,
        Self::CapacityExpansion,
        Self::Lawsuit,
    ];

    /// Its name in events.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::ExportRestriction => "export_restriction",
            Kind::Sanction => "sanction",
            Kind::Tariff => "tariff",
            Kind::Subsidy => "subsidy",
            Kind::Earnings => "earnings",
            Kind::ProductLaunch => "product_launch",
            Kind::SupplyDeal => "supply_deal",
            Kind::Investment => "investment",
            Kind::Acquisition => "acquisition",
            Kind::CapacityExpansion => "capacity_expansion",
            Kind::Lawsuit => "lawsuit",
        }
    }

    /// Whether it is something that can be eased.
    pub(super) fn restricts(self) -> bool {
        matches!(self, Kind::ExportRestriction | Kind::Sanction | Kind::Tariff)
    }
}

/// How a phrase stands to who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A verb: who does it is before it, to whom behind it; the other way round where it is passive.
    Verb,
    /// A noun, of which the same is true, and which is not passive.
    Noun,
    /// The other way round: `faces a lawsuit from`. Of a restriction, one that makes it lighter: `wins an export licence`.
    Turned,
    /// A verb that makes a restriction lighter, or puts an end to something else.
    Easing,
    /// Who does it follows behind "to": `sells its unit to`.
    Handed,
    /// What makes a bill that restricts exports come nearer; one must be named.
    Bill,
}

/// A phrase: what it tells of, how it stands to who does it, and its words.
pub(super) type Cue = (Kind, Form, &'static str);

/// Sets of words that several phrases share.
pub(super) const SETS: &[(&str, &str)] = &[
    ("build", "build|builds|built|building|construct+|erect+|open+|inaugurate+"),
    ("start", "start+|begin|begins|began|begun|beginning|commence+|resume+"),
    ("win", "win|wins|won|winning|receive+|get|gets|got|getting|secure+|land+|obtain+|bag|bags|bagged|clinch+"),
    ("sign", "sign+|reach+|strike|strikes|struck|ink+|extend+|renew+|finalise+|finalize+|agree+|seal+|clinch+|enter+"),
    (
        "give",
        "award+|grant+|hand+|give|gives|gave|given|provide+|approve+|offer+|clear+|earmark+|allocate+|release+|disburse+",
    ),
    (
        "drop",
        "abandon+|scrap|scraps|scrapped|scrapping|cancel|cancels|cancelled|canceled|shelve+|bury|buries|buried|axe|axes|axed",
    ),
    (
        "plant",
        "fab|fabs|plant|plants|factory|factories|foundry|foundries|facility|facilities|megafab|gigafab|cleanroom|cleanrooms|campus|campuses|datacenter|datacenters|datacentre|datacentres|smelter",
    ),
    (
        "site",
        "@plant|line|lines|site|sites|hall|halls|data|room|unit|units|center|centre|centers|centres|base|complex|hub|phase|extension|module|building|buildings",
    ),
    ("new", "new|second|third|fourth|fifth|sixth|another|additional|planned|next|further"),
    ("revenue", "revenue|revenues|rev|profit|profits|earnings|sales|income|loss|losses|ebit|ebitda|eps|op|np|turnover"),
    ("quarter", "q1|q2|q3|q4|1q|2q|3q|4q|h1|h2|1h|2h|fq1|fq2|fq3|fq4|quarter|quarterly|half|annual|fiscal|full"),
    (
        "moves",
        "rise|rises|rose|risen|fall|falls|fell|jump+|drop|drops|dropped|climb+|surge+|slump+|double+|triple+|grow|grows|grew|decline+|plunge+|soar+|slide|slides|slid|slip|slips|slipped|gain+|shrink|shrinks|shrank|tumble+|sink|sinks|sank|dip|dips|dipped|up|down|reach+|total+|totalled|exceed+|top|tops|topped|beat|beats|miss+|hit|hits|came|comes|stood|was|were|passed|crossed|quadruple+|advance+|swell|swells|swelled",
    ),
    ("curb", "curb|curbs|ban|bans|restriction|restrictions|control|controls|limits|rule|rules|prohibition"),
    (
        "permit",
        "license|licence|licenses|licences|permit|permits|authorization|authorisation|authorizations|authorisations",
    ),
    (
        "ship",
        "export|exports|ship|ships|sell|import|supply|buy|shipping|exporting|selling|importing|receive|purchase|deliver|resume",
    ),
    ("sales", "export|exports|sale|sales|shipment|shipments|delivery|deliveries"),
    ("grant", "subsidy|subsidies|grant|grants|aid|incentive|incentives|refund|refunds|rebate|rebates"),
    ("support", "support|funding|award|awards|loan|loans|backing|financing|assistance|guarantee|guarantees"),
    ("deal", "deal|contract|agreement|pact|contracts|agreements|memorandum|mou|accord|ppa|commitment|offtake"),
    (
        "goods",
        "chips|chip|gpus|processors|accelerators|units|wafers|memory|dram|servers|racks|systems|cards|modules|microcontrollers|tools|machines|equipment|parts|components|sensors|power|electricity|cores|turbines|cpus|tpus|silicon|semiconductors|substrates|lasers|capacity",
    ),
    ("stake", "stake|stakes|holding|holdings|shareholding|interest"),
    ("round", "round|funding|capital|investors|debt|bonds|bond|equity|ipo|financing|loan|loans|facility|notes|listing"),
    (
        "suit",
        "lawsuit|lawsuits|suit|suits|complaint|case|claims|litigation|dispute|disputes|trial|fight|battle|proceedings",
    ),
    (
        "firm",
        "maker|makers|startup|startups|firm|firms|company|companies|developer|developers|business|businesses|designer|supplier|specialist|unit|provider|vendor|outfit|rival|spinout|spinoff|chipmaker",
    ),
    ("some", "a|an|another|two|three|four|several|its|rival"),
    ("pay", "pay|pays|paid|paying"),
    ("sum", "million|billion|trillion|mln|bln|bil|mil|mn|bn|tn|m|b|crore"),
    ("duty", "tariff|tariffs|duty|duties|levy|levies|surcharge"),
    (
        "device",
        "processor|processors|chip|chips|gpu|gpus|cpu|cpus|accelerator|accelerators|soc|socs|microcontroller|microcontrollers|mcu|mcus|fpga|fpgas|npu|npus|asic|asics|card|cards|sensor|sensors|module|modules|chipset|chipsets|controller|controllers|transceiver|transceivers|switch|switches|ssd|ssds|board|boards|server|servers|workstation|scanner|camera|tablet|laptop|family",
    ),
    (
        "unit",
        "unit|business|division|arm|subsidiary|operations|assets|holding|maker|fab|plant|shell|activities|company|affiliate",
    ),
];

/// Every phrase. Of several at one place the longest counts, and of those the first.
pub(super) fn cues() -> impl Iterator<Item = &'static Cue> {
    state::CUES.iter().chain(trade::CUES)
}

/// Whether `word` is one of the set, as it stands there.
pub(super) fn is_in_set(set: &str, word: &str) -> bool {
    SETS.iter().any(|(name, words)| *name == set && words.split('|').any(|other| other == word))
}
