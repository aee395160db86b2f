/** The request id of a request: the caller's where it is well formed, ours otherwise. */
export function requestIdOf(headers: Headers, mint: () => string): string {
  const given = headers.get("x-request-id");
  return given !== null && /^[A-Za-z0-9._-]{8,64}$/.test(given) ? given : mint();
}
