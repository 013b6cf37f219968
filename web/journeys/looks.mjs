/** What is wrong with the look of a page: text that is cut, text over text, a page wider than its window, text too faint. */

export async function looks(page) {
  return page.evaluate(inspect);
}

function inspect() {
  const faults = [];
  const SLACK = 1.5;
  /** Hidden from eyes but not from screen readers. */
  const clippedAway = (element) => {
    for (let at = element; at; at = at.parentElement) if (getComputedStyle(at).clipPath === "inset(50%)") return true;
    return false;
  };
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !clippedAway(element) && !element.closest(".skip, noscript, [aria-hidden=true], option");
  const words = (text) => text.trim().replace(/\s+/g, " ").slice(0, 40);

  if (document.documentElement.scrollWidth > window.innerWidth + SLACK) faults.push(`page is ${document.documentElement.scrollWidth} px wide`);

  /** The part of a rectangle that its scrolling and clipping ancestors let through. */
  function clip(rect, element) {
    let { left, top, right, bottom } = rect;
    const lost = { hidden: 0 };
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const frame = at.getBoundingClientRect();
      const scrollsX = ["auto", "scroll"].includes(style.overflowX);
      const scrollsY = ["auto", "scroll"].includes(style.overflowY);
      if (!scrollsX) lost.hidden = Math.max(lost.hidden, right - frame.right, frame.left - left);
      if (!scrollsY) lost.hidden = Math.max(lost.hidden, bottom - frame.bottom, frame.top - top);
      [left, top, right, bottom] = [Math.max(left, frame.left), Math.max(top, frame.top), Math.min(right, frame.right), Math.min(bottom, frame.bottom)];
    }
    return { left, top, right, bottom, hidden: lost.hidden };
  }

  const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  function background(element) {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.startsWith("rgb")) return null;
      const [r, g, b, a = 1] = channels(colour);
      if (a === 1) return [r, g, b];
      if (a > 0) return null;
    }
    return [255, 255, 255];
  }
  function faint(element) {
    const style = getComputedStyle(element);
    const behind = background(element);
    if (!behind || !style.color.startsWith("rgb") || element.closest(":disabled, .signs")) return;
    const [a, b] = [light(channels(style.color)), light(behind)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push(`faint (${ratio.toFixed(1)}): "${words(element.textContent)}"`);
  }

  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.textContent.trim() || !element || !visible(element) || ["SCRIPT", "STYLE", "TITLE"].includes(element.tagName)) continue;
    faint(element);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      if (rect.width < 1 || rect.height < 1) continue;
      const shown = clip(rect, element);
      if (shown.hidden > SLACK && !element.closest(".signs")) faults.push(`cut by ${shown.hidden.toFixed(0)} px: "${words(node.textContent)}"`);
      if (shown.right - shown.left > 1 && shown.bottom - shown.top > 1) seen.push({ ...shown, text: words(node.textContent), element });
    }
  }
  for (const frame of document.querySelectorAll(".body")) {
    if (frame.scrollWidth > frame.clientWidth + SLACK) faults.push(`panel "${words(frame.textContent)}" scrolls sideways by ${frame.scrollWidth - frame.clientWidth} px`);
  }
  /** Lines of text may touch; letters of different texts may not lie over one another. */
  for (let i = 0; i < seen.length; i++) {
    for (let j = i + 1; j < seen.length; j++) {
      const [a, b] = [seen[i], seen[j]];
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      const least = 0.35 * Math.min(a.bottom - a.top, b.bottom - b.top);
      if (width > 2 && height > least && a.element !== b.element && !stacked(a.element, b.element)) faults.push(`"${a.text}" lies over "${b.text}"`);
    }
  }
  /** What a dialog or an open detail covers is meant to be covered. */
  function stacked(a, b) {
    const layer = (element) => element.closest("dialog, .detail, .legend, .zoom");
    return layer(a) !== layer(b);
  }
  return [...new Set(faults)];
}
