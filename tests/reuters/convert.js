// Converts the JSON files of the Reuters-21578 package in a folder to JSON Lines as `chipwire import` takes them.
"use strict";

const fs = require("fs");
const path = require("path");

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

// " 9-MAR-1987 07:59:05.79", in what was then Reuters' own time: taken for UTC.
function published(text) {
  const match = /(\d{1,2})-([A-Z]{3})-(\d{4}) (\d{2}:\d{2}:\d{2})/.exec(text || "");
  if (!match) return undefined;
  const month = String(MONTHS.indexOf(match[2]) + 1).padStart(2, "0");
  return `${match[3]}-${month}-${match[1].padStart(2, "0")}T${match[4]}Z`;
}

const folder = process.argv[2];
for (const file of fs.readdirSync(folder).sort()) {
  for (const article of JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"))) {
    if (!article.body) continue;
    const line = {
      id: String(article.id),
      title: (article.title || "").trim(),
      text: article.body,
      source: "Reuters-21578",
      language: "en",
      published: published(article.date),
    };
    fs.writeSync(1, JSON.stringify(line) + "\n");
  }
}
