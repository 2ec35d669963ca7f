//! The phrases that tell of a happening, and what they need around them.
//!
//! A pattern is words with spaces between: `a|b` is one of them, `a+` is any form of a regular verb, `@a` is one of a set of [`SETS`], a word with
//! `?` may be missing, `!a|b` is where none of these words follows, and `~` stands for up to six words at which no clause ends, `~~` for up to fourteen. Words
//! are in small letters; Han characters and Hangul syllables count one by one, so that `a|b c|d` of them is every first with every second. How they are
//! read: `slots`. Here are those of English; those of other languages are in `abroad`.

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

use Form::{Bill, Easing, Handed, Noun, Turned, Verb};
use Kind::{
    Acquisition, CapacityExpansion, Earnings, ExportRestriction, Investment, Lawsuit, ProductLaunch, Sanction, Subsidy,
    SupplyDeal, Tariff,
};

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
    ("revenue", "revenue|revenues|rev|profit|profits|earnings|sales|income|loss|losses|ebit|ebitda|eps|turnover"),
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
        "unit",
        "unit|business|division|arm|subsidiary|operations|assets|holding|maker|fab|plant|shell|activities|company|affiliate",
    ),
];

/// Every phrase. Of several at one place the longest counts, and of those the first.
pub(super) const CUES: &[Cue] = &[
    (
        ExportRestriction,
        Verb,
        "ban|bans|banned|banning|bar|bars|barred|block+|restrict+|curb+|limit+|halt+|prohibit+|stop|stops|stopped the? export|exports|sale|sales|shipment|shipments of?",
    ),
    (
        ExportRestriction,
        Verb,
        "ban|bans|banned|bar|bars|barred|block+|restrict+|prohibit+|stop|stops|stopped|forbid|forbids|forbade ~? from exporting|selling|shipping|buying",
    ),
    (
        ExportRestriction,
        Verb,
        "restrict+|curb+|limit+|tighten+ ~? export|exports controls|control|curbs|rules|restrictions|limits?",
    ),
    (ExportRestriction, Verb, "require+ ~? export? license|licence|licenses|licences for|to"),
    (ExportRestriction, Verb, "cut|cuts off ~? access|supply|supplies to|of"),
    (
        ExportRestriction,
        Noun,
        "export ban|bans|curb|curbs|restriction|restrictions|control|controls|limits|rule|rules on|of|for|against",
    ),
    (
        ExportRestriction,
        Noun,
        "ban|bans|curb|curbs|restriction|restrictions|limits|controls on ~? export|exports|sale|sales|shipment|shipments of?",
    ),
    (ExportRestriction, Noun, "export ban|bans|curb|curbs|restriction|restrictions"),
    (
        ExportRestriction,
        Easing,
        "allow+|permit|permits|permitted|let|lets|clear+|approve+|greenlight|greenlights|resume+ ~? export|exports|sale|sales|shipment|shipments of?",
    ),
    (
        ExportRestriction,
        Turned,
        "win|wins|won|receive+|get|gets|got ~? export license|licence|licenses|licences for|to?",
    ),
    (ExportRestriction, Easing, "grant+|issue+ ~? export license|licence|licenses|licences to|for?"),
    (
        ExportRestriction,
        Easing,
        "ease+|relax+|loosen+|lift+ ~? export controls|control|curbs|rules|restrictions|restriction|limits|ban|bans on?",
    ),
    (
        ExportRestriction,
        Verb,
        "ban|bans|banned|banning|bar|bars|barred|barring|block+|prohibit+|stop|stops|stopped|forbid|forbids|forbade ~ from ~? maintaining|servicing|supplying|importing|accessing|providing|exporting|selling|shipping|buying|acquiring",
    ),
    (ExportRestriction, Verb, "bar|bars|barred|ban|bans|banned ~? from maintaining|servicing|supplying"),
    (
        ExportRestriction,
        Verb,
        "tighten+|widen+|expand+|broaden+|extend+|toughen+|strengthen+|impose+|introduce+|announce+|draft+|propose+|weigh+|unveil+|adopt+|keep|keeps|kept|maintain+|retain+ ~? export|exports|chip|chips|tool|tools|tech|technology|semiconductor|earth|permit|permits|licensing|gallium|germanium|dual|servicing|gpu|memory ~? @curb|requirement|requirements|checks",
    ),
    (
        ExportRestriction,
        Verb,
        "impose+|introduce+|announce+ ~? @permit|export requirement|requirements|rule|rules|regime",
    ),
    (ExportRestriction, Verb, "require+|need|needs|needed ~? @permit ~? to|for|from|before"),
    (ExportRestriction, Verb, "refuse+|deny|denies|denied|withhold|withholds|withheld|revoke+ ~? @permit|veu"),
    (ExportRestriction, Verb, "put|puts|place+ ~~ under|on licence|license|controls|control"),
    (ExportRestriction, Verb, "rule+ out ~? @sales|maintenance|servicing|access of|to|for?"),
    (ExportRestriction, Noun, "licence|license|permit|licensing requirement|requirements"),
    (ExportRestriction, Noun, "subject|subjected to ~? export controls|restrictions|curbs"),
    (ExportRestriction, Noun, "halt|ban|stop to|on ~? maintenance|servicing|@sales of?"),
    (
        ExportRestriction,
        Noun,
        "export|dual|trade use? export? ban|bans|embargo|curbs ~? imposed|placed|announced on|by?",
    ),
    (
        ExportRestriction,
        Noun,
        "export|dual|trade use? export? @curb that|which? ~? imposed|introduced|placed|announced ~? on|against",
    ),
    (ExportRestriction, Verb, "widen+|expand+|extend+|broaden+|lengthen+ ~? list|scope ~? cover|include|by"),
    (ExportRestriction, Noun, "waiting|wait|waits ~? for ~? @permit"),
    (
        ExportRestriction,
        Easing,
        "grant+|issue+|approve+|give|gives|gave|award+|renew+ ~? @permit|approval|clearance|waiver|waivers ~? to|for ~? @ship|@sales|chips|gpus|tools|equipment",
    ),
    (ExportRestriction, Easing, "grant+|issue+|approve+ ~? @permit for|to?"),
    (ExportRestriction, Easing, "authorize+|authorise+|allow+|clear+|permit|permits|permitted ~? to|back @ship"),
    (ExportRestriction, Easing, "let|lets ~? @ship"),
    (
        ExportRestriction,
        Turned,
        "@win ~? @permit|nod|approval|clearance|waiver|permission|go ~? to|for ~? @ship|chips|gpus|tools|equipment|@sales",
    ),
    (ExportRestriction, Turned, "@win ~? @permit from|for|to"),
    (
        ExportRestriction,
        Turned,
        "@win ~? u.s.|us|american|washington|beijing|chinese|dutch|government ~? @permit|nod|approval|clearance|waiver|permission ~? for|to",
    ),
    (
        ExportRestriction,
        Easing,
        "freeze|freezes|froze|frozen|suspend+|pause+|rescind+|withdraw|withdraws|withdrew|scrap|scraps|scrapped|delay+|end|ends|ended|roll|rolled back? ~? @curb|expansion",
    ),
    (ExportRestriction, Easing, "open+ ~? door|way to|for ~? @sales|chips"),
    (ExportRestriction, Easing, "@curb ~? suspended|lifted|eased|frozen|relaxed|waived"),
    (
        ExportRestriction,
        Bill,
        "pass|passes|passed|advance+|report+|approve+|reintroduce+|introduce+|attach+|back+|clear+|mark|marks|marked|adopt+|vote|votes|voted|sponsor+|push+|revive+ ~~? act|bill",
    ),
    (
        ExportRestriction,
        Bill,
        "act|bill|measure|amendment ~? would|could|will ~? bar|ban|block|require|oblige|force|restrict|let|limit|stop|give|curb|make",
    ),
    (Sanction, Verb, "sanction+|blacklist+"),
    (Sanction, Verb, "impose+|slap|slaps|slapped|levy|levies|place+|put|puts|announce+ ~? sanctions on|against"),
    (Sanction, Verb, "add+|put|puts|place+ ~~ to|on the|its|a|us|u.s.? ~? list|blacklist"),
    (Sanction, Verb, "add+|put|puts|place+ to|on the|its|a|us|u.s.? ~? list|blacklist"),
    (Sanction, Noun, "sanctions on|against"),
    (
        Sanction,
        Easing,
        "remove+|take|takes|took|taken|delete|deleted|drop|drops|dropped ~~? from|off the|its|a|us|u.s.? ~? list|blacklist",
    ),
    (Sanction, Easing, "lift+|ease+|waive+|suspend+ ~? sanctions on|against?"),
    (Sanction, Verb, "designate+ ~? entities|companies|firms|people|persons|individuals|vessels|network"),
    (Sanction, Noun, "sanctions package|packages|list"),
    (Sanction, Noun, "package of sanctions"),
    (
        Tariff,
        Verb,
        "impose+|slap|slaps|slapped|levy|levies|levied|announce+|raise+|double+|set|sets|place|places|put|puts ~? tariff|tariffs|duty|duties on?",
    ),
    (Tariff, Noun, "tariff|tariffs|duty|duties of|on|against"),
    (Tariff, Verb, "hit|hits ~ with tariffs|duties"),
    (Tariff, Easing, "exempt+ ~? from tariff|tariffs|duties"),
    (
        Tariff,
        Easing,
        "lift+|cut|cuts|lower+|suspend+|pause+|drop|drops|dropped|scrap|scraps|scrapped|reduce+ ~? tariff|tariffs|duties on?",
    ),
    (
        Tariff,
        Turned,
        "face+|pay|pays|paid|paying|attract+|dodge+|avoid+|escape+ ~? tariff|tariffs|duty|duties|levy|surcharge",
    ),
    (Tariff, Noun, "tariff|tariffs|duty|duties|surcharge|levy from|for|to|at|rate|rates"),
    (Tariff, Noun, "section 232|301|338|122|201 ~? investigation|investigations|probe|probes|review"),
    (Tariff, Noun, "anti dumping ~? investigation|investigations|probe|review|duty|duties|tariffs|case|levies"),
    (
        Tariff,
        Verb,
        "launch+|open+|extend+|start+|initiate+|widen+|reopen+ ~? anti|232|301|antidumping|countervailing|subsidy ~? investigation|investigations|probe|review",
    ),
    (Tariff, Noun, "tariff|tariffs"),
    (
        Subsidy,
        Verb,
        "award+|grant+|hand+|give|gives|gave|provide+|approve+|offer+ ~? subsidy|subsidies|grant|grants|aid|incentives to|for?",
    ),
    (Subsidy, Verb, "subsidise+|subsidize+"),
    (Subsidy, Verb, "give|gives|gave|grant+|award+|provide+|lend|lends|lent"),
    (
        Subsidy,
        Turned,
        "win|wins|won|receive+|get|gets|got|secure+|land+ ~? subsidy|subsidies|grant|grants|aid|incentives from|under?",
    ),
    (Subsidy, Verb, "@give|pledge+|announce+|sign+|extend+|back+|decide+|agree+ ~~? @grant to|for|under?"),
    (Subsidy, Verb, "@give|pledge+|announce+|extend+|sign+ ~~? @support|credit|credits|money to|for|under"),
    (Subsidy, Verb, "announce+|sign+ ~? letters of intent|terms ~~? with"),
    (
        Subsidy,
        Verb,
        "@give|extend+ ~? project|projects|proposal|proposals|unit|units|phase ~? under|of|for ~? mission|scheme|programme|program|act|plan",
    ),
    (Subsidy, Turned, "@win|claim+|collect+|book+|accept+ ~~? @grant|credit|credits from|under|for?"),
    (
        Subsidy,
        Turned,
        "@win|collect+ ~~ under|from ~? act|scheme|programme|program|mission|law|credit|irs|taxpayers|government",
    ),
    (Subsidy, Noun, "@grant to|for|from|of|under|worth|totalling|totaling"),
    (Subsidy, Noun, "award|awards|support|funding to|for|from|of|under|worth|totalling|totaling"),
    (Subsidy, Noun, "state|federal|government|public|taxpayer @grant|money|support|funding"),
    (Subsidy, Turned, "@win ~~? state|federal|government|public @grant|money|support|funding from|for|under?"),
    (Subsidy, Noun, "subsidised|subsidized|cofinanced|funded by"),
    (Subsidy, Noun, "tax credit|credits from|for|under|of"),
    (
        Earnings,
        Verb,
        "report+|post+|book+|announce+ ~? revenue|revenues|profit|profits|earnings|sales|income|loss|losses|results",
    ),
    (Earnings, Verb, "beat|beats|miss+|top|tops|topped ~? estimates|forecasts|expectations|consensus"),
    (
        Earnings,
        Verb,
        "forecast|forecasts|expect+|guide+|see|sees|project+|predict|predicts ~? revenue|revenues|profit|earnings|sales|margin|margins|results",
    ),
    (Earnings, Verb, "raise+|cut|cuts|lower+|lift+|trim|trims|trimmed ~? forecast|guidance|outlook"),
    (
        Earnings,
        Noun,
        "revenue|revenues|profit|profits|earnings|sales|income ~? rise|rises|rose|fall|falls|fell|jump+|drop|drops|dropped|climb+|surge+|slump+|double+|grow|grows|grew|decline+|plunge+|soar+",
    ),
    (
        Earnings,
        Noun,
        "quarterly|annual|record|net|operating|quarter ~? profit|revenue|earnings|loss|sales|income|results of|beat|beats|miss|misses|at",
    ),
    (
        Earnings,
        Verb,
        "report+|post+|book+|announce+|publish+|turn+|deliver+|generate+|log|logs|logged|record+|swing|swings|swung|show+|notch+ in|to? ~? @revenue|bookings|orders|results",
    ),
    (Earnings, Verb, "guides|guided|guiding ~? above|below|higher|lower|flat|up|down|to|under|ahead"),
    (Earnings, Verb, "see|sees|forecast|forecasts|expect|expects|project|projects ~? @revenue|margin|margins|growth"),
    (Earnings, Verb, "warn+ of|on|about ~? quarter|q1|q2|q3|q4|@revenue|demand|margins|outlook"),
    (
        Earnings,
        Verb,
        "beat|beats|beating|miss+|top|tops|topped|surpass+|exceed+|smash+ ~~? estimate|estimates|forecast|forecasts|expectations|consensus|street|guidance",
    ),
    (
        Earnings,
        Verb,
        "raise+|cut|cuts|lower+|lift+|trim|trims|trimmed|hike|hikes|hiked|slash+|keep|keeps|kept|reaffirm+|maintain+ ~~? forecast|forecasts|guidance|outlook|guide",
    ),
    (Earnings, Noun, "@quarter ~? @revenue|results|guidance|outlook|margin"),
    (Earnings, Noun, "earnings call|report|season|beat|miss"),
    (Earnings, Verb, "issue+|give|gives|gave|provide+ ~? forecast|guidance|outlook"),
    (Earnings, Noun, "@revenue ~? @moves"),
    (Earnings, Noun, "@revenue seen|likely|expected|forecast|vs|versus"),
    (Earnings, Noun, "@revenue ~? of|at"),
    (Earnings, Noun, "@revenue|margin"),
    (Earnings, Noun, "margin|margins|orders|bookings ~? @moves"),
    (ProductLaunch, Verb, "launch+|unveil+|introduce+|debut+|release+|reveal+|showcase+"),
    (ProductLaunch, Verb, "start+|begin|begins|began ~? shipping|sampling|shipments|selling of?"),
    (ProductLaunch, Verb, "start+|begin|begins|began mass|volume production of"),
    (ProductLaunch, Verb, "roll+ out"),
    (ProductLaunch, Verb, "announce+|present+|detail+|preview+|tease+|show+ off?"),
    (ProductLaunch, Verb, "tape+ out"),
    (
        ProductLaunch,
        Verb,
        "@start ~? shipping|sampling|shipments|selling|sales|production|deliveries|producing|manufacturing of?",
    ),
    (ProductLaunch, Verb, "crank+|bring|brings|brought|put|puts out|refresh|update ~? to?"),
    (ProductLaunch, Turned, "go|goes|went|gone on sale"),
    (ProductLaunch, Turned, "enter+ ~? production|shops|stores"),
    (ProductLaunch, Turned, "will|not|to? reach ~? shops|stores|customers|market|shelves"),
    (ProductLaunch, Turned, "tape+|taping out"),
    (ProductLaunch, Turned, "available from|in|now|for|at|later|next|this|through|today|on"),
    (ProductLaunch, Turned, "slip|slips|slipped|delayed|postponed|pushed ~? to|into|until|back"),
    (ProductLaunch, Turned, "debut+|arrive+|launch+|ship|ships|shipping in|on|at|next|this|later|early|with|late|from"),
    (
        ProductLaunch,
        Turned,
        "expected|due|scheduled|slated|planned|set ~? to? launch|ship|arrive|debut|in|by|next|early|late",
    ),
    (
        ProductLaunch,
        Turned,
        "mass|volume|risk production|deliveries ~? in|by|from|next|this|of|begin|began|start|started",
    ),
    (
        SupplyDeal,
        Verb,
        "sign+|reach+|strike|strikes|struck|ink+|win|wins|won|secure+|land+ ~? supply|chip|foundry|purchase ~? deal|contract|agreement|pact|order|orders with|from?",
    ),
    (SupplyDeal, Verb, "sign+|win|wins|won|land+|secure+ ~? order|orders|contract|contracts from|with"),
    (SupplyDeal, Verb, "sign+|strike|strikes|struck|reach+|ink+ ~? deal|agreement|contract with"),
    (SupplyDeal, Verb, "supply|supplies|supplied|supplying"),
    (SupplyDeal, Verb, "order+|buy|buys|bought|purchase+ ~ chips|gpus|processors|accelerators|units|wafers from"),
    (SupplyDeal, Verb, "@sign|@win|announce+|place+|award+ ~? @deal|order|orders ~? with|from|for|to"),
    (
        SupplyDeal,
        Verb,
        "@sign|@win ~? supply|chip|foundry|purchase|licence|licensing|offtake|power|cloud|compute|firm|multi ~? @deal|order|orders",
    ),
    (SupplyDeal, Verb, "@win|place+|book+ ~? order|orders|contract|contracts"),
    (SupplyDeal, Verb, "pick+|select+|choose|chooses|chose|chosen|tap|taps|tapped ~ for|as|to"),
    (
        SupplyDeal,
        Verb,
        "deliver+|ship|ships|shipped|shipping|provide+|sold|selling|hand+ ~? @goods|samples|lot|batch|consignment ~? to",
    ),
    (SupplyDeal, Verb, "deliver+|ship|ships|shipped|shipping ~~? to"),
    (
        SupplyDeal,
        Verb,
        "source+|sourcing|procure+|order+|buy|buys|bought|buying|purchase+|rent|rents|rented|lease+|get|gets ~~? @goods ~? from",
    ),
    (SupplyDeal, Verb, "contract|contracts|contracted|contracting for|with"),
    (SupplyDeal, Verb, "license|licenses|licensed|licence|licences|licenced|licensing"),
    (
        SupplyDeal,
        Noun,
        "supply|chip|foundry|purchase|licensing|licence|offtake|power|cloud|compute|manufacturing @deal|order with|between|from|for?",
    ),
    (SupplyDeal, Noun, "@deal|order|orders with|from"),
    (SupplyDeal, Noun, "@deal|order|orders worth ~ with|from"),
    (SupplyDeal, Noun, "@deal|order between|for"),
    (SupplyDeal, Verb, "order|orders|ordered"),
    (SupplyDeal, Verb, "@sign ~? @deal"),
    (Investment, Verb, "invest+|pour+ in|into?"),
    (Investment, Verb, "take|takes|took|buy|buys|bought|acquire+|sell|sells|sold ~? stake in"),
    (Investment, Verb, "lead|leads|led|join+ ~? round|funding of|in|for"),
    (Investment, Turned, "raise+|raising ~? in|from ~? @round"),
    (
        Investment,
        Turned,
        "raise+|raising|close+|secure+|land+|complete+|sign+|get|gets|got|obtain+ ~~? @round ~? from|by|led",
    ),
    (
        Investment,
        Turned,
        "raise+|raising ~ million|billion|mln|bln|mn|bn ~? from|round|ipo|funding|capital|equity|debt",
    ),
    (Investment, Turned, "close+|secure+|land+|complete+ ~? @round"),
    (Investment, Turned, "raise+|raising ~? round"),
    (Investment, Verb, "finalise+|finalize+|raise+|raising|form+ ~? vehicle|fund"),
    (Investment, Noun, "investment|investments|injection of|in|by|from|into|worth"),
    (
        Investment,
        Verb,
        "spend|spends|spent|spending ~ on|in|for ~? @plant|line|lines|capacity|equipment|expansion|site|sites|data",
    ),
    (Investment, Verb, "commit|commits|committed|pledge+|inject+|contribute+ ~ into|in|for|to|toward|towards"),
    (Investment, Verb, "put|puts|putting|plough+|pump+|plow+ ~ into"),
    (Investment, Verb, "commit|commits|committed|pledge+|contribute+ ~? equity|funds|capital|investment"),
    (
        Investment,
        Verb,
        "raise+|lift+|increase+|boost+|up|ups|upped|double+|take|takes|took|buy|buys|bought|acquire+|sell|sells|sold|hold|holds|holding|add+|own|owns ~? @stake|investment|spend|backstop in|to|of|by",
    ),
    (Investment, Verb, "take|takes|took|buy|buys|bought|receive+ ~? @stake|shares|stock|equity ~? in|of"),
    (Investment, Verb, "approve+ ~? injection|investment|increase"),
    (Investment, Verb, "plan|plans|planned|plans|launch+|set|sets|close+ ~? fund|vehicle with|for|by|on?"),
    (Investment, Noun, "funding|financing|investment round|vehicle ~? led|from|by|for|with"),
    (Investment, Noun, "@stake in"),
    (Investment, Verb, "take|takes|took|buy|buys|bought ~? stake"),
    (Investment, Easing, "@drop|withdraw|withdraws|withdrew ~? project|investment"),
    (Investment, Easing, "walk+ away from"),
    (Acquisition, Verb, "acquire+|take|takes|took over?"),
    (Acquisition, Verb, "acquire+"),
    (Acquisition, Verb, "agree+ to buy|acquire|merge with?"),
    (Acquisition, Verb, "buy|buys|bought|buying"),
    (Acquisition, Verb, "complete+|close+|announce+|abandon+|block+ ~? acquisition|takeover|purchase|buyout of"),
    (Acquisition, Noun, "acquisition|takeover|buyout of|by"),
    (Acquisition, Verb, "merge+ with"),
    (Acquisition, Noun, "merger with"),
    (
        Acquisition,
        Verb,
        "agree+|offer+|bid|plan|plans|planned|want|wants|enter+ ~? to|for ~? buy|acquire|merge|purchase with?",
    ),
    (Acquisition, Verb, "swallow+|absorb+|snap|snaps|snapped|bid up|for?"),
    (
        Acquisition,
        Verb,
        "complete+|close+|announce+|abandon+|block+|finalise+|finalize+|approve+|clear+ ~? acquisition|takeover|purchase|buyout|merger|bid of|for|with|by",
    ),
    (
        Acquisition,
        Verb,
        "reject+|decline+|refuse+ ~? acquisition|takeover|buyout|merger|bid|offer|approach of|from|by?",
    ),
    (Acquisition, Noun, "acquisition|takeover|buyout|purchase of|by"),
    (Acquisition, Noun, "bid|offer for"),
    (
        Acquisition,
        Verb,
        "complete+|close+|finalise+|finalize+|clear+|approve+ ~? acquisition|takeover|purchase|buyout|merger|deal",
    ),
    (Acquisition, Noun, "merger with|of|between"),
    (Acquisition, Handed, "sell|sells|sold|selling|divest+|offload+|transfer|transfers|transferred ~~? @unit ~? to"),
    (Acquisition, Handed, "sell|sells|sold|selling|divest+|offload+ ~? of|half|part|stake ~~? to"),
    (Acquisition, Handed, "sale|divestment|disposal of ~~? to"),
    (Acquisition, Handed, "forced|made|ordered to sell ~~? to"),
    (CapacityExpansion, Verb, "@build ~? @site"),
    (
        CapacityExpansion,
        Verb,
        "complete+|finish+|commission+|launch+|establish+|plan|plans|planned|planning|announce+|propose+|approve+|enlarge+|upgrade+|equip+|delay+|postpone+|lease+ ~? @plant|line|lines|data",
    ),
    (
        CapacityExpansion,
        Verb,
        "add+|install+|bring|brings|brought|lease+|secure+|host+ ~? @plant|production|assembly|packaging|pilot|capacity|megawatts|gigawatts|mw|gw|megawatt|gigawatt|wafers|racks|clean",
    ),
    (
        CapacityExpansion,
        Verb,
        "extend+|expand+|double+|triple+|increase+|boost+|raise+|ramp|ramps|ramped|ramping|lift+|quadruple+|grow|grows|enlarge+ ~? capacity|production|output|@plant|footprint|site",
    ),
    (CapacityExpansion, Verb, "put|puts|putting|invest+|pour+|plough+ ~? into|in ~? capacity|@plant|line|lines"),
    (
        CapacityExpansion,
        Verb,
        "install+|move|moves|moved|moving|bring|brings|brought ~? tools|equipment|machines|scanner|scanners|bonders|servers in|into|at",
    ),
    (CapacityExpansion, Verb, "energise+|energize+"),
    (CapacityExpansion, Verb, "add+|deploy+|install+"),
    (CapacityExpansion, Verb, "switch+|bring|brings|brought|turn+|power+ ~? on|online|live"),
    (CapacityExpansion, Verb, "break|breaks|broke|broken|breaking ground on|for|at?"),
    (CapacityExpansion, Verb, "@start ~? construction|building|installing|work ~? of|on|at|in"),
    (CapacityExpansion, Verb, "aim|aims|aiming|target|targets|targeting ~? wafers"),
    (CapacityExpansion, Verb, "add+|make|makes|produce+|reach+|process ~? wafers a|per month"),
    (CapacityExpansion, Noun, "construction|groundbreaking|building of|on|at|for ~? @site"),
    (CapacityExpansion, Noun, "expansion|extension|build|ramp of|at|in|out ~? @site|capacity|production"),
    (CapacityExpansion, Noun, "capacity|plant|fab|factory|site|production expansion|extension|buildout"),
    (CapacityExpansion, Noun, "@new ~? @plant|line|hall|site|campus in|at|near|for|on|to|by|next"),
    (
        CapacityExpansion,
        Noun,
        "@plant|line|lines|site|phase is|will|to|would|could|should|has|have ~? open|start|begin|ramp|run|reach|come|live|add|adds|online|ramping|begun|started|double|construction",
    ),
    (
        CapacityExpansion,
        Noun,
        "capacity|output ~? will|to|would|rise|grow|reach|double|climb ~? rise|reach|grow|double|be|by|to",
    ),
    (CapacityExpansion, Noun, "energised|energized|online|live with|on|in|at|by"),
    (
        CapacityExpansion,
        Easing,
        "close+|shut|shuts|shutting|shutter+|mothball+|@drop|wind|winds|wound|halt+ down? ~? @plant|line|lines|project|expansion",
    ),
    (
        CapacityExpansion,
        Verb,
        "halve+|halving|trim|trims|trimmed|slow|slows|slowed|delay+|postpone+|pause+ ~? expansion|@plant|ramp",
    ),
    (Lawsuit, Verb, "sue+"),
    (Lawsuit, Verb, "file+|bring|brings|brought|launch+ ~? lawsuit|suit|complaint|case against"),
    (Lawsuit, Noun, "lawsuit|suit|complaint|case|litigation against"),
    (Lawsuit, Turned, "face+|fight|fights ~? lawsuit|suit|complaint|trial from|over|by?"),
    (Lawsuit, Verb, "accuse+ ~ of ~? infringing|infringement|stealing|violating"),
    (Lawsuit, Verb, "settle+ ~? lawsuit|suit|dispute|case|litigation with?"),
    (
        Lawsuit,
        Verb,
        "jury|judge|court|tribunal|panel|circuit|regulator ~? order+|find|finds|found|rule+|award+|fine+|throw|throws|threw|toss+|uphold|upholds|upheld|dismiss+|side+|hear|heard|convict+|said|says|overturn+",
    ),
    (Lawsuit, Verb, "order|orders|ordered|force+ ~? to pay|stop|cease|halt"),
    (Lawsuit, Verb, "fined|fines"),
    (Lawsuit, Verb, "indict+|prosecute+|convict+|sentenced|arrest+|extradite+"),
    (Lawsuit, Verb, "charge+ ~? with|over"),
    (Lawsuit, Verb, "infringe+ ~? patent|patents"),
    (Lawsuit, Noun, "infringe+|infringing ~? of|on?"),
    (Lawsuit, Verb, "settle+|resolve+ ~? @suit with|over?"),
    (Lawsuit, Verb, "settle+ with|over?"),
    (Lawsuit, Verb, "appeal+|challenge+ ~? ruling|verdict|decision|judgment|order|court"),
    (Lawsuit, Verb, "seek+|demand+|claim+|sought ~? damages|injunction|rehearing"),
    (Lawsuit, Verb, "accuse+ ~ of|over"),
    (Lawsuit, Verb, "allege+ ~? infringement|infringed|theft|stole"),
    (
        Lawsuit,
        Noun,
        "patent|antitrust|trade|secret|337|criminal|securities|smuggling|fraud ~? @suit|probe|investigation|infringement|verdict|trial|violations",
    ),
    (
        Lawsuit,
        Noun,
        "lawsuit|suit|complaint|litigation|appeal|verdict|judgment|injunction|charges|claims against|over|by|for|between|from|in|brought|filed",
    ),
    (Lawsuit, Noun, "trial|hearing over|against|of|between|in|for"),
    (Lawsuit, Noun, "win over|against"),
    (Lawsuit, Noun, "v"),
];
