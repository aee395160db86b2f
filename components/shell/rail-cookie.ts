/** Remembers the narrow rail. A cookie, so the server already draws it right. */
export const RAIL_COOKIE = "countersign-rail";
export const RAIL_NARROW = "narrow";
const YEAR_S = 31_536_000;

export const railCookie = (collapsed: boolean): string =>
  `${RAIL_COOKIE}=${collapsed ? RAIL_NARROW : "wide"}; path=/; max-age=${YEAR_S}; samesite=lax`;
