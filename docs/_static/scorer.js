/* The order of what a search finds. The numbers are those of Sphinx, but for `score`: who asks for
   a p-value wants the page that explains it first, and the method of that name second. */
var Scorer = {
  score: ([docname, title, anchor, descr, score, filename, kind]) => {
    const ofTheGuide = !docname.includes("/") && !["index", "api", "parity"].includes(docname);
    return score + (ofTheGuide ? 30 : 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
