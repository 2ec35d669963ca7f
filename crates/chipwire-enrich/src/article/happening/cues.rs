//! The phrases that tell of a happening, and what they need around them.
//!
//! A pattern is words with spaces between: `a|b` is one of them, `a+` is any form of a regular verb, a word with `?` may be missing, and `~` stands for up to six words
//! at which no clause ends, `~~` for up to fourteen. Words are in small letters; Han characters count one by one. How they are read: `slots`.

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
    /// A verb that makes a restriction lighter.
    Easing,
}

use Form::{Easing, Noun, Turned, Verb};
use Kind::{
    Acquisition, CapacityExpansion, Earnings, ExportRestriction, Investment, Lawsuit, ProductLaunch, Sanction, Subsidy,
    SupplyDeal, Tariff,
};

/// Every phrase. Of several at one place the longest counts, and of those the first.
pub(super) const CUES: &[(Kind, Form, &str)] = &[
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
        "allow+|permit|permits|permitted|let|lets|clear+|approve+|greenlight|greenlights|resume+ ~? export|exports|sale|sales|shipment|shipments|sell|ship of?",
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
    (ExportRestriction, Verb, "限制|禁止 对? 华? 出口"),
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
    (Sanction, Verb, "制裁"),
    (Sanction, Verb, "列入 实? 体? 清? 单? 黑? 名? 单?"),
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
    (Tariff, Verb, "加 征 关 税"),
    (
        Subsidy,
        Verb,
        "award+|grant+|hand+|give|gives|gave|provide+|approve+|offer+ ~? subsidy|subsidies|grant|grants|aid|incentives to|for?",
    ),
    (Subsidy, Verb, "subsidise+|subsidize+"),
    (
        Subsidy,
        Turned,
        "win|wins|won|receive+|get|gets|got|secure+|land+ ~? subsidy|subsidies|grant|grants|aid|incentives from|under?",
    ),
    (Subsidy, Noun, "subsidy|subsidies|grant|aid to|for"),
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
    (Earnings, Verb, "营|净 收|利 为?"),
    (ProductLaunch, Verb, "launch+|unveil+|introduce+|debut+|release+|reveal+|showcase+"),
    (ProductLaunch, Verb, "start+|begin|begins|began ~? shipping|sampling|shipments|selling of?"),
    (ProductLaunch, Verb, "start+|begin|begins|began mass|volume production of"),
    (ProductLaunch, Verb, "roll+ out"),
    (ProductLaunch, Verb, "发|推 布|出"),
    (
        SupplyDeal,
        Verb,
        "sign+|reach+|strike|strikes|struck|ink+|win|wins|won|secure+|land+ ~? supply|chip|foundry|purchase ~? deal|contract|agreement|pact|order|orders with|from?",
    ),
    (SupplyDeal, Verb, "sign+|win|wins|won|land+|secure+ ~? order|orders|contract|contracts from|with"),
    (SupplyDeal, Verb, "sign+|strike|strikes|struck|reach+|ink+ ~? deal|agreement|contract with"),
    (SupplyDeal, Verb, "supply|supplies|supplied|supplying"),
    (SupplyDeal, Verb, "order+|buy|buys|bought|purchase+ ~ chips|gpus|processors|accelerators|units|wafers from"),
    (SupplyDeal, Noun, "supply deal|contract|agreement|pact with|between|from"),
    (SupplyDeal, Verb, "order+"),
    (Investment, Verb, "invest+|pour+ in|into?"),
    (Investment, Verb, "take|takes|took|buy|buys|bought|acquire+|sell|sells|sold ~? stake in"),
    (Investment, Verb, "lead|leads|led|join+ ~? round|funding of|in|for"),
    (Investment, Turned, "raise+ ~? in|from ~? round|funding|capital|investors|debt|bonds"),
    (Investment, Noun, "investment of|in|by|from"),
    (Investment, Verb, "投 资"),
    (Acquisition, Verb, "acquire+|take|takes|took over?"),
    (Acquisition, Verb, "acquire+"),
    (Acquisition, Verb, "agree+ to buy|acquire|merge with?"),
    (Acquisition, Verb, "buy|buys|bought|buying"),
    (Acquisition, Verb, "complete+|close+|announce+|abandon+|block+ ~? acquisition|takeover|purchase|buyout of"),
    (Acquisition, Noun, "acquisition|takeover|buyout of|by"),
    (Acquisition, Verb, "merge+ with"),
    (Acquisition, Noun, "merger with"),
    (Acquisition, Verb, "收 购"),
    (
        CapacityExpansion,
        Verb,
        "build|builds|built|building|open+|construct|constructs|constructing ~? fab|fabs|plant|plants|factory|factories|foundry|facility|campus|data",
    ),
    (
        CapacityExpansion,
        Verb,
        "expand+|double+|triple+|increase+|boost+|raise+|ramp|ramps ~? capacity|production|output",
    ),
    (CapacityExpansion, Verb, "break|breaks|broke ground on|for|at"),
    (CapacityExpansion, Verb, "扩 产"),
    (Lawsuit, Verb, "sue+"),
    (Lawsuit, Verb, "file+|bring|brings|brought|launch+ ~? lawsuit|suit|complaint|case against"),
    (Lawsuit, Noun, "lawsuit|suit|complaint|case|litigation against"),
    (Lawsuit, Turned, "face+|fight|fights ~? lawsuit|suit|complaint|trial from|over|by?"),
    (Lawsuit, Verb, "accuse+ ~ of ~? infringing|infringement|stealing|violating"),
    (Lawsuit, Verb, "settle+ ~? lawsuit|suit|dispute|case|litigation with?"),
    (Lawsuit, Verb, "起 诉"),
];
