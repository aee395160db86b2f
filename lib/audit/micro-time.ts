const REANCHOR_MS = 5;

let anchorMs = performance.timeOrigin;

/** Wall clock in whole microseconds since 1970. */
export function nowMicros(): number {
  const wall = Date.now();
  let now = anchorMs + performance.now();
  // The monotonic clock gives the digits below the millisecond; the wall clock corrects it when the system's time is set.
  if (Math.abs(now - wall) > REANCHOR_MS) {
    anchorMs = wall - performance.now();
    now = wall;
  }
  return Math.floor(now * 1000);
}

let second = -1;
let secondText = "";

/** ISO 8601 in UTC with six decimals, as it stands in a record. */
export function isoMicros(micros: number): string {
  const at = Math.floor(micros / 1_000_000);
  if (at !== second) {
    second = at;
    secondText = new Date(at * 1_000).toISOString().slice(0, -4);
  }
  return `${secondText}${String(micros - at * 1_000_000).padStart(6, "0")}Z`;
}
