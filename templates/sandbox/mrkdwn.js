// Slack's text to DOM nodes. What a person typed only ever becomes a text node: nothing here writes HTML.
import { dateWords } from "./dates.js";
import { el } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", warning: "⚠️", x: "❌", eyes: "👀", tada: "🎉", bell: "🔔", no_bell: "🔕",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", rotating_light: "🚨", memo: "📝",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", zzz: "💤", calendar: "📅", date: "📅", clock10: "🕙", palm_tree: "🌴",
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", wave: "👋", rocket: "🚀", bulb: "💡", link: "🔗",
  arrow_up: "⬆️", arrow_down: "⬇️", arrow_right: "➡️", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡",
  large_orange_circle: "🟠", large_blue_circle: "🔵", white_circle: "⚪", black_circle: "⚫", robot_face: "🤖", dart: "🎯", trophy: "🏆", zap: "⚡", lock: "🔒",
  pushpin: "📌", mega: "📣", checkered_flag: "🏁", speech_balloon: "💬", repeat: "🔁", raised_hand: "✋", compass: "🧭", test_tube: "🧪", alarm_clock: "⏰",
  question: "❓", exclamation: "❗", gear: "⚙️", package: "📦", handshake: "🤝", star: "⭐", fire: "🔥", mag: "🔍",
};

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

export function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function plain(text) {
  return unescaped(text).replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI[name] ?? all);
}

// Only addresses that can't run anything become links.
export function link(address, label) {
  const safe = /^(https?:|mailto:)/i.test(address);
  return safe ? el("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, label) : document.createTextNode(label);
}

// `context` is {names, now, zone}: what mentions and dates are read with.
export function mrkdwn(text, context, verbatim = false) {
  const box = el("div", { class: "mrkdwn" });
  text.split(/```/).forEach((part, at) => {
    if (at % 2) box.append(el("pre", {}, unescaped(part.replace(/^\n/, ""))));
    else lines(at ? part.replace(/^\n/, "") : part, box, context, verbatim);
  });
  return box;
}

function lines(text, box, context, verbatim) {
  let quote = null;
  text.split("\n").forEach((line, at) => {
    const quoted = /^(>|&gt;) ?/.exec(line);
    if (quoted) {
      if (!quote) box.append((quote = el("blockquote")));
      else quote.append("\n");
      inline(line.slice(quoted[0].length), quote, context, verbatim);
      return;
    }
    if (at > 0 && !quote) box.append("\n");
    quote = null;
    inline(line, box, context, verbatim);
  });
}

const TOKEN = /`([^`]+)`|<([^<>]+)>|(?<![\w*_~])([*_~])(?=\S)(.+?)(?<=\S)\3(?![\w*_~])/;
const BARE = /(https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)'"”])/;
const TAGS = { "*": "strong", _: "em", "~": "s" };

function inline(text, parent, context, verbatim) {
  let rest = text;
  for (let found = TOKEN.exec(rest); found; found = TOKEN.exec(rest)) {
    words(rest.slice(0, found.index), parent, verbatim);
    if (found[1]) parent.append(el("code", {}, unescaped(found[1])));
    else if (found[2]) parent.append(special(found[2], context));
    else {
      const node = el(TAGS[found[3]]);
      inline(found[4], node, context, verbatim);
      parent.append(node);
    }
    rest = rest.slice(found.index + found[0].length);
  }
  words(rest, parent, verbatim);
}

// Slack makes bare addresses links, unless the text is to be taken word for word.
function words(text, parent, verbatim) {
  if (verbatim) parent.append(plain(text));
  else text.split(BARE).forEach((part, at) => parent.append(at % 2 ? link(unescaped(part), unescaped(part)) : plain(part)));
}

function special(inside, { names, now, zone }) {
  const [target, label] = inside.split(/\|(.*)/s);
  const mention = (said) => el("span", { class: "mention" }, said);
  if (target[0] === "@") return mention(`@${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target[0] === "#") return mention(`#${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) {
    const [, seconds, pattern = "", address] = target.split("^");
    const said = dateWords(seconds, unescaped(pattern), unescaped(label ?? ""), { now, zone });
    return address ? link(unescaped(address), said) : el("time", {}, said);
  }
  if (target[0] === "!") return mention(label ? unescaped(label) : `@${target.slice(1).split("^")[0]}`);
  return link(unescaped(target), unescaped(label ?? target));
}

export function text(object, context) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, context, object.verbatim === true);
  return el("div", { class: "mrkdwn" }, object.emoji === false ? object.text : plain(object.text));
}

export function label(object) {
  return object ? plain(object.text) : "";
}
