import { z } from "zod";
import { type AddressRange, parseRanges } from "@/lib/core/address-ranges";
import { plainRules } from "@/lib/core/plain-rules";
import { singleton } from "@/lib/core/singleton";
import { withoutEnd } from "@/lib/core/without-end";

const flag = z.enum(["0", "1"]).transform((text) => text === "1");
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());
/** A setting with a default, for which empty means unset too. */
const standard = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

function areRanges(text: string): boolean {
  try {
    return parseRanges(text).length > 0;
  } catch {
    return false;
  }
}

const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

const settings = z.object({
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  HOST: z.string().min(1).default("127.0.0.1"),
  DATA_DIR: z.string().min(1).default(".data"),
  DATABASE_URL: optional(z.string().regex(/^postgres(ql)?:\/\//, "must start with postgres:// or postgresql://")),
  REDIS_URL: optional(z.string().regex(/^rediss?:\/\//, "must start with redis:// or rediss://")),
  /** What every key and channel in Redis begins with, so that several installations can share one. */
  REDIS_PREFIX: z
    .string()
    .regex(/^([a-z0-9][a-z0-9:_-]{0,39})?$/, "must be lower-case letters, digits, colon, - or _")
    .default("")
    .transform((prefix) => prefix || "countersign"),
  PUBLIC_URL: optional(z.url({ protocol: /^https?$/ })),
  NEXTAUTH_SECRET: optional(z.string().min(32, "must have at least 32 characters")),
  MASTER_KEY: optional(
    z.string().regex(/^[A-Za-z0-9_-]+:[A-Za-z0-9+/_-]{43}=?$/, "must be <key id>:<32 bytes in base64>"),
  ),
  DEMO: optional(flag),
  OIDC_ISSUER: optional(z.url()),
  OIDC_CLIENT_ID: optional(z.string()),
  OIDC_CLIENT_SECRET: optional(z.string()),
  OIDC_NAME: optional(z.string()),
  ENTRA_TENANT_ID: optional(
    // Anybody can make a directory of their own behind these, so nothing they say about an address is proven.
    z.string().regex(/^(?!(common|organizations|consumers)$)/i, "must name one directory, not common or organizations"),
  ),
  ENTRA_CLIENT_ID: optional(z.string()),
  ENTRA_CLIENT_SECRET: optional(z.string()),
  OKTA_ISSUER: optional(z.url()),
  OKTA_CLIENT_ID: optional(z.string()),
  OKTA_CLIENT_SECRET: optional(z.string()),
  /** E-mail addresses of the first platform admins, comma separated; they must sign in by SSO. */
  PLATFORM_ADMINS: optional(z.string()),
  /** Private address ranges that servers may be registered in, comma separated CIDR, e.g. 10.1.0.0/16. */
  EGRESS_ALLOW: optional(z.string().refine(areRanges, "must be addresses or CIDR ranges, comma separated")),
  /** Our own proxies, comma separated addresses or CIDR: what they say of who asked (X-Forwarded-For) is believed. */
  TRUSTED_PROXIES: optional(z.string().refine(areRanges, "must be addresses or CIDR ranges, comma separated")),
  /** Programs that stdio servers may start, comma separated; `node` and `npx` unless told. */
  STDIO_ALLOW: optional(z.string()),
  /** Calls per second: of everybody together, of one tenant at most, and of one agent where its tenant set nothing. */
  RATE_LIMIT_GLOBAL: z.coerce.number().int().min(1).max(10_000_000).default(50_000),
  RATE_LIMIT_TENANT: z.coerce.number().int().min(1).max(10_000_000).default(20_000),
  RATE_LIMIT_AGENT: z.coerce.number().int().min(1).max(10_000_000).default(10_000),
  /** Memory for buffers above which large answers are refused, MB; a quarter of the memory there is, 1,024 at most, unless told. */
  ANSWER_MEMORY_MB: optional(z.coerce.number().int().min(32).max(1_048_576)),
  /** How many days figures about calls are kept: by minute, by hour and by day. */
  METRICS_MINUTE_DAYS: z.coerce.number().int().min(2).max(90).default(7),
  METRICS_HOUR_DAYS: z.coerce.number().int().min(32).max(1_000).default(100),
  METRICS_DAY_DAYS: z.coerce.number().int().min(366).max(10_000).default(1_100),
  /** What Prometheus presents to /api/metrics; without it there is no such address. */
  METRICS_TOKEN: optional(z.string().min(16, "must have at least 16 characters")),
  /** Where alerts by e-mail are handed over: smtp:// or smtps://, with user and password where the server asks for them. */
  SMTP_URL: optional(z.string().regex(/^smtps?:\/\/[^/?#\s]+/, "must start with smtp:// or smtps:// and name a host")),
  /** Whom alerts by e-mail come from: an address, or `Name <address>`. */
  MAIL_FROM: optional(z.string().regex(/^([^<>\r\n]*<)?[^\s@<>]+@[^\s@<>]+>?$/, "must be an e-mail address")),
  /**
   * OpenTelemetry, by its standard names. Credentials, timeouts, compression and certificates of the receiver
   * (OTEL_EXPORTER_OTLP_*) and OTEL_RESOURCE_ATTRIBUTES are read by its own packages. Without an endpoint nothing is sent.
   */
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(z.url({ protocol: /^https?$/ })),
  OTEL_EXPORTER_OTLP_PROTOCOL: optional(z.literal("http/json", "only http/json is spoken")),
  OTEL_TRACES_EXPORTER: standard(z.enum(["otlp", "none"]).default("otlp")),
  OTEL_TRACES_SAMPLER: standard(z.enum(SAMPLERS).default("parentbased_always_on")),
  OTEL_TRACES_SAMPLER_ARG: standard(z.coerce.number().min(0).max(1).default(1)),
  OTEL_BSP_SCHEDULE_DELAY: standard(z.coerce.number().int().min(10).max(600_000).default(5_000)),
  OTEL_METRICS_EXPORTER: standard(z.enum(["otlp", "none"]).default("none")),
  OTEL_METRIC_EXPORT_INTERVAL: standard(z.coerce.number().int().min(100).max(3_600_000).default(60_000)),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "silent"]).default("info"),
  SHUTDOWN_GRACE_MS: z.coerce.number().int().min(0).max(120_000).default(10_000),
});

type Raw = z.output<typeof settings>;

/** Settings that mean something together only. */
const PRESETS = [
  ["ENTRA_TENANT_ID", "ENTRA_CLIENT_ID", "ENTRA_CLIENT_SECRET"],
  ["OKTA_ISSUER", "OKTA_CLIENT_ID", "OKTA_CLIENT_SECRET"],
  ["OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"],
  ["SMTP_URL", "MAIL_FROM"],
] as const;

/** A sign-in provider, or mail, with a part missing would silently not be offered. */
function missingPresetParts(raw: Raw): string[] {
  return PRESETS.filter((names) => names.some((name) => raw[name] !== undefined)).flatMap((names) =>
    names.filter((name) => raw[name] === undefined).map((name) => `  ${name}: must be set together with ${names[0]}`),
  );
}

export type Env = Omit<Raw, "DEMO"> & {
  /** True when no DATABASE_URL is given: the embedded PostgreSQL is used. */
  readonly embeddedDatabase: boolean;
  readonly demo: boolean;
};

export class InvalidSettings extends Error {}

/** Reads settings from a plain record; throws naming every bad one. Exported for tests. */
export function parseEnv(source: Readonly<Record<string, string | undefined>>): Env {
  const parsed = settings.safeParse(source, plainRules);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new InvalidSettings(`These settings are not usable:\n${lines.join("\n")}`);
  }
  const missing = missingPresetParts(parsed.data);
  if (missing.length > 0) throw new InvalidSettings(`These settings are not usable:\n${missing.join("\n")}`);
  const { DEMO, ...rest } = parsed.data;
  const embeddedDatabase = rest.DATABASE_URL === undefined;
  return { ...rest, embeddedDatabase, demo: DEMO ?? embeddedDatabase };
}

/** The settings of this process, read once. The only reader of `process.env`. */
export const env = (): Env => singleton("env", () => parseEnv(process.env));

/** Whose word about who asked is believed. */
export const trustedProxies = (): readonly AddressRange[] =>
  singleton("trusted-proxies", () => parseRanges(env().TRUSTED_PROXIES ?? ""));

const announced = singleton("base-url", () => ({ url: null as string | null }));

/** Where browsers reach this process: PUBLIC_URL, else the address it listens on. Without a trailing slash. */
export function baseUrl(): string {
  const settings = env();
  if (settings.PUBLIC_URL !== undefined) return withoutEnd(settings.PUBLIC_URL, "/");
  if (announced.url !== null) return announced.url;
  const host = settings.HOST === "0.0.0.0" || settings.HOST === "::" ? "127.0.0.1" : settings.HOST;
  return `http://${host.includes(":") ? `[${host}]` : host}:${settings.PORT}`;
}

/** Tells the process its true address once it listens; only needed when PORT is 0. PUBLIC_URL still wins. */
export function announceBaseUrl(url: string): void {
  announced.url = withoutEnd(url, "/");
}

/** next-auth reads its address from the environment and nowhere else. */
export function exportNextAuthEnv(): void {
  process.env["NEXTAUTH_URL"] = baseUrl();
}

/** A secret that the person who starts a command names by its variable. */
export const secretVariable = (name: string): string | undefined => process.env[name];

/** Where programs are looked for; all that a started server inherits of our environment. */
export const searchPath = (): string => process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
