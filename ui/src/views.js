// The rooms of the screen. Each gives its element, the keys of state that it follows, and how it draws; report and app put them together.
export * from "./first.js";
export * from "./controls.js";
export * from "./where.js";
export * from "./promises.js";
export * from "./corridors.js";
export * from "./shipping.js";
export * from "./lists.js";
export * from "./compare.js";
export * from "./brief.js";
