import { AppError, type FieldIssue } from "@/lib/core/errors";
import { checkUrl, WEBSOCKET_URL } from "@/lib/mcp/upstream/egress-guard";
import { upstreamPolicy } from "@/lib/mcp/upstream/policy";
import { checkProgram } from "@/lib/mcp/upstream/stdio-child";
import type { ServerEndpoint } from "@/lib/servers/schemas";

/** Headers that belong to the connection or to the protocol; a credential that sets them breaks or spoofs it. */
const OWN_HEADERS =
  /^(host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|sec-websocket-.*|expect|accept|keep-alive|proxy-.*|mcp-.*)$/i;
/**
 * Variables by which a child loads code that is not in its command line. The shell that becomes the program starts with
 * them too: bash runs what stands in PS4 once SHELLOPTS has it trace, whatever program is listed.
 */
const LOADER_VARIABLES = new RegExp(
  `^(${[
    "PATH|IFS|ENV|PS[0-9]|SHELLOPTS|BASHOPTS|BASH_.*",
    "LD_.*|DYLD_.*|GCONV_PATH|OPENSSL_(CONF|MODULES|ENGINES)",
    "NODE_OPTIONS|NODE_PATH|NODE_EXTRA_CA_CERTS|npm_config_.*",
    "PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PERL5(OPT|LIB|DB)|RUBY(OPT|LIB)|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|DOTNET_STARTUP_HOOKS",
  ].join("|")})$`,
  "i",
);

const CONTROL = /[^\P{Cc}\t]/u;

function badNames(names: readonly string[], path: string, forbidden: RegExp, rule: string): readonly FieldIssue[] {
  return names.filter((name) => forbidden.test(name)).map((name) => ({ path: `${path}.${name}`, rule }));
}

function endpointIssues(endpoint: ServerEndpoint): readonly FieldIssue[] {
  if (endpoint.transport !== "stdio") {
    const url = new URL(endpoint.url);
    if (url.username === "" && url.password === "") return [];
    return [{ path: "endpoint.url", rule: "must not hold a user or password; put them into the credential" }];
  }
  const names = Object.keys(endpoint.env);
  const words = [endpoint.command, ...endpoint.args, ...Object.values(endpoint.env)];
  return [
    ...badNames(names, "endpoint.env", LOADER_VARIABLES, "may not be set, because it changes what the program loads"),
    ...(words.some((word) => word.includes("\u0000")) ? [{ path: "endpoint.args", rule: "must not contain NUL" }] : []),
  ];
}

function credentialIssues(
  endpoint: ServerEndpoint,
  credential: Readonly<Record<string, string>>,
): readonly FieldIssue[] {
  const names = Object.keys(credential);
  if (endpoint.transport === "stdio") {
    return badNames(names, "credential", LOADER_VARIABLES, "may not be set, because it changes what the program loads");
  }
  const broken = names.filter((name) => CONTROL.test(credential[name] ?? ""));
  return [
    ...badNames(names, "credential", OWN_HEADERS, "is a header of the connection itself"),
    ...broken.map((name) => ({
      path: `credential.${name}`,
      rule: "must not contain line breaks or control characters",
    })),
  ];
}

/** Refuses endpoints and credentials that no registration may hold, before anything is contacted or started. */
export function requireSoundEndpoint(
  endpoint: ServerEndpoint,
  credential: Readonly<Record<string, string>> | undefined,
): void {
  const issues = [...endpointIssues(endpoint), ...credentialIssues(endpoint, credential ?? {})];
  if (issues.length > 0) {
    throw new AppError("invalid_input", issues.map(({ path, rule }) => `${path} ${rule}`).join("; "), { issues });
  }
  if (endpoint.transport === "stdio") checkProgram(endpoint.command, upstreamPolicy());
  else checkUrl(endpoint.url, upstreamPolicy(), endpoint.transport === "websocket" ? WEBSOCKET_URL : undefined);
}
