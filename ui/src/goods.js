// Goods as colours: the few groups that move most have one each, the others share one; a link shows them along its line, in proportion.
import { t } from "./i18n.js";

const MOST = 5;
const REST = "rest";
const onLink = (link, scope) => (scope === "corridor" ? link.corridor_goods_kt : link.goods_kt);

// Groups with a colour of their own: those that move most over all years, in the order of the case, so that colours stay from run to run.
export function goodsShown(doc, { scope }) {
  const totals = new Map();
  for (const link of doc.links)
    for (const [group, kt] of Object.entries(onLink(link, scope)))
      totals.set(group, (totals.get(group) ?? 0) + kt.reduce((sum, each) => sum + each, 0));
  const names = Object.fromEntries(doc.goods.map((row) => [row.commodity_group, row.name]));
  const groups = [...totals].filter(([, kt]) => kt > 0).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const rank = doc.goods.map((row) => row.commodity_group);
  const own = groups
    .slice(0, groups.length > MOST + 1 ? MOST : MOST + 1)
    .map(([group]) => ({ key: group, name: names[group] ?? group }))
    .sort((a, b) => rank.indexOf(a.key) - rank.indexOf(b.key));
  return groups.length > own.length ? [...own, { key: REST, name: t("map.other_goods") }] : own;
}

// Kilotonnes of a link in a year by shown group, in their order; of one group alone where that is chosen.
export function goodsOf(link, index, shown, { goods, scope }) {
  const found = Object.fromEntries(shown.map(({ key }) => [key, 0]));
  for (const [group, kt] of Object.entries(onLink(link, scope)))
    if (goods === "all" || goods === group) found[group in found ? group : REST] += kt[index];
  return shown.map(({ key }) => found[key]);
}

// A path cut into pieces as long as the shares say, on the flat of the map's degrees.
export function cut(path, shares) {
  const far = [0];
  for (let at = 1; at < path.length; at += 1)
    far.push(far[at - 1] + Math.hypot(path[at][0] - path[at - 1][0], path[at][1] - path[at - 1][1]));
  const whole = far.at(-1);
  const pointAt = (length) => {
    const at = Math.max(
      1,
      far.findIndex((each) => each >= length - 1e-9),
    );
    const u = far[at] > far[at - 1] ? (length - far[at - 1]) / (far[at] - far[at - 1]) : 0;
    return [0, 1].map((axis) => path[at - 1][axis] + u * (path[at][axis] - path[at - 1][axis]));
  };
  let start = 0;
  return shares.map((share) => {
    const end = Math.min(whole, start + share * whole);
    const piece = [pointAt(start), ...path.filter((_, at) => far[at] > start + 1e-9 && far[at] < end - 1e-9), pointAt(end)];
    start = end;
    return piece;
  });
}
