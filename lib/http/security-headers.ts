import { baseUrl } from "@/lib/env";

type PolicyFor = { readonly nonce: string; readonly isApi: boolean; readonly isDev: boolean };

/** What a page may load and who may frame it (ASVS 3.4.3, 3.4.6). Scripts run by nonce only. */
export function contentSecurityPolicy({ nonce, isApi, isDev }: PolicyFor): string {
  if (isApi) return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return [
    "default-src 'self'",
    // React needs eval in development only, to rebuild stack traces.
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${isDev ? " 'unsafe-eval'" : ""}`,
    // Charts and overlays set style attributes, which no nonce can cover.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${isDev ? " ws:" : ""}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    ...(baseUrl().startsWith("https:") ? ["upgrade-insecure-requests"] : []),
  ].join("; ");
}

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** The other headers of every answer of the console. HSTS only where the console itself is reached by https. */
export function securityHeaders(): readonly (readonly [string, string])[] {
  return [
    ["x-content-type-options", "nosniff"],
    ["x-frame-options", "DENY"],
    ["referrer-policy", "same-origin"],
    ["cross-origin-opener-policy", "same-origin"],
    ["permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()"],
    ...(baseUrl().startsWith("https:")
      ? ([["strict-transport-security", `max-age=${YEAR_SECONDS}; includeSubDomains`]] as const)
      : []),
  ];
}
