// Lambert conformal conic, good for a wide strip of middle latitudes; y grows downwards as on a screen.
const RAD = Math.PI / 180;
const [LON0, LAT1, LAT2] = [58 * RAD, 30 * RAD, 55 * RAD];
const half = (lat) => Math.tan(Math.PI / 4 + lat / 2);
const n = Math.log(Math.cos(LAT1) / Math.cos(LAT2)) / Math.log(half(LAT2) / half(LAT1));
const F = (Math.cos(LAT1) * half(LAT1) ** n) / n;
const RHO0 = F / half(42 * RAD) ** n;

export const projection = {
  project([lon, lat]) {
    const rho = F / half(Math.max(-60, Math.min(85, lat)) * RAD) ** n;
    const angle = n * (lon * RAD - LON0);
    return [1000 * rho * Math.sin(angle), 1000 * (rho * Math.cos(angle) - RHO0)];
  },
  unproject([x, y]) {
    const [u, v] = [x / 1000, RHO0 + y / 1000];
    const rho = Math.hypot(u, v);
    return [(Math.atan2(u, v) / n + LON0) / RAD, (2 * Math.atan((F / rho) ** (1 / n)) - Math.PI / 2) / RAD];
  },
};

// Projected frame of a box in degrees, edges walked along.
export function frameOf([west, south, east, north]) {
  const points = [];
  for (let step = 0; step <= 20; step += 1) {
    const lon = west + ((east - west) * step) / 20;
    const lat = south + ((north - south) * step) / 20;
    points.push(
      projection.project([lon, south]),
      projection.project([lon, north]),
      projection.project([west, lat]),
      projection.project([east, lat]),
    );
  }
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return { x: Math.min(...xs), y: Math.min(...ys), width: Math.max(...xs) - Math.min(...xs), height: Math.max(...ys) - Math.min(...ys) };
}
