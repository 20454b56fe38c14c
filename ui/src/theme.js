// Colours: found by search for distance under normal, deutan, protan and tritan vision; check again on any change.

export const PALETTES = {
  light: {
    land: "#f7f6f2",
    sea: "#e3edf4",
    border: "#cfccc2",
    ink: "#17212e",
    soft: "#56626f",
    line: "#d9dee4",
    paper: "#ffffff",
    casing: "#ffffff",
    rail: "#2451b7",
    road: "#484e52",
    ship: "#0a8f8d",
    oil: "#822517",
    planned: "#7d858c",
    use: ["#7f97ad", "#d9a400", "#c9560f", "#8f0b3a"],
    useCasing: "#4a5663",
    more: "#2166ac",
    less: "#b35806",
    still: "#b3b8bd",
    series: ["#2451b7", "#822517", "#0a8f8d", "#a17700", "#752677", "#484e52"],
    band: "#2451b7",
  },
  dark: {
    land: "#1d2935",
    sea: "#0f1822",
    border: "#364453",
    ink: "#eaf0f6",
    soft: "#a9b6c3",
    line: "#33404d",
    paper: "#17212b",
    casing: "#0f1822",
    rail: "#92bdf1",
    road: "#8d96a8",
    ship: "#66ffe7",
    oil: "#d65848",
    planned: "#8b98a5",
    use: ["#7d93a8", "#f0c23b", "#ff9248", "#ff5c86"],
    useCasing: "#0f1822",
    more: "#7cc0ff",
    less: "#ff9d4d",
    still: "#56646f",
    series: ["#92bdf1", "#d65848", "#66ffe7", "#f1c058", "#be46ef", "#8d96a8"],
    band: "#92bdf1",
  },
};

export const palette = (theme) => PALETTES[theme];
export const preferredTheme = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
export const prefersStill = () =>
  matchMedia("(prefers-reduced-motion: reduce)").matches || location.hash.includes("still") || location.hash.includes("print");

const CLASS_OF_MODE = { rail: "rail", road: "road", pipeline: "oil", tanker: "oil" };
export const classOfMode = (mode) => CLASS_OF_MODE[mode] ?? "ship";
export const MODE_CLASSES = ["rail", "ship", "road", "oil"];

// Which of the four steps a use of capacity falls in: below 60%, to 85%, to 100%, full.
export function useStep(share, isFull) {
  if (isFull || share >= 0.9995) return 3;
  return share >= 0.85 ? 2 : share >= 0.6 ? 1 : 0;
}
