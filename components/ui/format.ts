const LOCALE = "en-GB";
const utc = new Intl.DateTimeFormat(LOCALE, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
  timeZone: "UTC",
});
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always", style: "short" });
const whole = new Intl.NumberFormat(LOCALE);

/** `20 Nov 2026, 14:03:22 UTC`. */
export const formatUtc = (iso: string): string => `${utc.format(new Date(iso)).replace("Sept", "Sep")} UTC`;

/** Without noughts at the end: `5`, `0.4`, `1.25`. */
const short = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 30],
  ["month", 12],
  ["year", Number.POSITIVE_INFINITY],
];

/** `3 min. ago`; `now` within five seconds. */
export function formatRelative(iso: string, nowMs: number): string {
  let amount = (Date.parse(iso) - nowMs) / 1000;
  if (Math.abs(amount) < 5) return "now";
  for (const [unit, size] of STEPS) {
    if (Math.abs(amount) < size) return relative.format(Math.round(amount), unit);
    amount /= size;
  }
  return formatUtc(iso);
}

/** Thousands apart: `12,408`. */
export const formatCount = (value: number): string => whole.format(value);

/** `1 call`, `1,204 calls`. */
export const formatPlural = (count: number, one: string, many: string): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const two = (most: number, unit: string, rest: number, smaller: string): string =>
  `${most} ${unit}${rest === 0 ? "" : ` ${rest} ${smaller}`}`;

/** `0.4 ms`, `12 ms`, `1.2 s`, `3 min 5 s`, `2 h 10 min`, `1 d`; `–` when nothing was measured. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 1) return `${short(ms, 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${short(ms / 1000, 2)} s`;
  if (ms < HOUR_MS) return two(Math.floor(ms / 60_000), "min", Math.floor((ms % 60_000) / 1000), "s");
  if (ms < DAY_MS) return two(Math.floor(ms / HOUR_MS), "h", Math.floor((ms % HOUR_MS) / 60_000), "min");
  return two(Math.floor(ms / DAY_MS), "d", Math.floor((ms % DAY_MS) / HOUR_MS), "h");
}

/** 0.0123 becomes `1.2 %`, 0.9986 `99.86 %`: never rounded up to a whole; `–` when there is nothing to divide by. */
export function formatShare(share: number | null): string {
  if (share === null) return "–";
  const percent = share * 100;
  if (percent > 90) return `${Math.floor(percent * 100 + 1e-6) / 100} %`;
  return `${percent >= 10 ? Math.round(percent) : short(percent, 1)} %`;
}

/** Shortens the middle: `0192f3a1…9c2e`. */
export const shortenMiddle = (text: string, head = 8, tail = 4): string =>
  text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
