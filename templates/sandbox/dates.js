// Slack's date tokens, `<!date^1392734382^{date_short} at {time}^link|fallback>`, in the reader's zone.
const PARTS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" }, date: { day: "numeric", month: "long", year: "numeric" },
  date_short: { day: "numeric", month: "short", year: "numeric" }, date_long: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" }, time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const DAY_MS = 86_400_000;

const format = (moment, zone, options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options }).format(moment);
const dayOf = (moment, zone) => Date.parse(`${new Intl.DateTimeFormat("en-CA", { timeZone: zone }).format(moment)}T00:00:00Z`) / DAY_MS;

function pretty(moment, now, zone, plain) {
  const words = { "-1": "yesterday", 0: "today", 1: "tomorrow" };
  return words[dayOf(moment, zone) - dayOf(now, zone)] ?? format(moment, zone, PARTS[plain]);
}

function ago(moment, now) {
  const minutes = Math.round((moment - now) / 60_000);
  const [count, unit] = Math.abs(minutes) < 60 ? [minutes, "minute"] : Math.abs(minutes) < 1440 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return new Intl.RelativeTimeFormat("en").format(count, unit);
}

// `fallback` when the token says nothing that can be shown. The first letter of the words is large at the start of a text only, so it stays small here.
export function dateWords(seconds, pattern, fallback, { now, zone }) {
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return fallback;
  const current = new Date(now);
  let known = true;
  const words = pattern.replaceAll(/\{(\w+)\}/g, (all, name) => {
    if (PARTS[name]) return format(moment, zone, PARTS[name]);
    if (name.endsWith("_pretty") && PARTS[name.slice(0, -7)]) return pretty(moment, current, zone, name.slice(0, -7));
    if (name === "ago") return ago(moment, current);
    known = false;
    return all;
  });
  return known ? words : fallback;
}
