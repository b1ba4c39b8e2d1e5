// Slack's text to DOM nodes. What a person typed only ever becomes a text node: nothing here writes HTML.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

// Only addresses that can't run anything become links.
export function link(address, label) {
  const safe = /^(https?:|mailto:)/i.test(address);
  return safe ? el("a", { href: address, rel: "noopener noreferrer", target: "_blank" }, label) : document.createTextNode(label);
}

export function mrkdwn(text, names) {
  const box = el("div", { class: "mrkdwn" });
  text.split(/```/).forEach((part, at) => {
    if (at % 2) box.append(el("pre", {}, unescaped(part.replace(/^\n/, ""))));
    else lines(part, box, names);
  });
  return box;
}

function lines(text, box, names) {
  let quote = null;
  text.split("\n").forEach((line, at) => {
    const quoted = /^(>|&gt;) ?/.exec(line);
    if (quoted) {
      if (!quote) box.append((quote = el("blockquote")));
      else quote.append("\n");
      inline(line.slice(quoted[0].length), quote, names);
      return;
    }
    if (at > 0 && !quote) box.append("\n");
    quote = null;
    inline(line, box, names);
  });
}

const TOKEN = /`([^`]+)`|<([^<>]+)>|(?<![\w*_~])([*_~])(?=\S)(.+?)(?<=\S)\3(?![\w*_~])/;
const TAGS = { "*": "strong", _: "em", "~": "s" };

function inline(text, parent, names) {
  let rest = text;
  for (let found = TOKEN.exec(rest); found; found = TOKEN.exec(rest)) {
    parent.append(unescaped(rest.slice(0, found.index)));
    if (found[1]) parent.append(el("code", {}, unescaped(found[1])));
    else if (found[2]) parent.append(special(found[2], names));
    else {
      const node = el(TAGS[found[3]]);
      inline(found[4], node, names);
      parent.append(node);
    }
    rest = rest.slice(found.index + found[0].length);
  }
  parent.append(unescaped(rest));
}

function special(inside, names) {
  const [target, label] = inside.split(/\|(.*)/s);
  if (target[0] === "@") return el("span", { class: "mention" }, `@${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target[0] === "#") return el("span", { class: "mention" }, `#${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target[0] === "!") return el("span", { class: "mention" }, label ? unescaped(label) : `@${target.slice(1).split("^")[0]}`);
  return link(unescaped(target), unescaped(label ?? target));
}

export function text(object, names) {
  return object.type === "mrkdwn" ? mrkdwn(object.text, names) : el("div", { class: "mrkdwn" }, object.text);
}
