import type { ServerEndpoint } from "@/lib/servers/schemas";

export type Advice = { readonly title: string; readonly steps: readonly string[] };

const HTTP_STEPS = [
  "Check the URL, path included: most servers answer at /mcp.",
  "Check that this host can reach it (DNS, firewall, proxy).",
];
const STDIO_STEPS = [
  "Run the exact command shown above in a shell on the gateway's host and read what it prints.",
  "The gateway starts it without a shell and with a scrubbed environment: name every variable it needs.",
];

/** What a probe's failure means and what to do about it, by its stable code. */
export function adviceFor(code: string, transport: ServerEndpoint["transport"]): Advice {
  switch (code) {
    case "egress_refused":
      return transport !== "stdio"
        ? {
            title: "The egress guard refused this address",
            steps: [
              "Private, loopback and link-local addresses are refused unless the operator lists them.",
              "Ask the operator to add the host to the allowed private addresses, or use a public name.",
            ],
          }
        : {
            title: "This command is not on the allow-list",
            steps: [
              "Only commands that the operator lists may be started.",
              "Use a listed command (npx, node, uvx by default) or ask the operator to list this one.",
            ],
          };
    case "unauthenticated":
    case "permission_denied":
      return {
        title: "The server asked for a credential, or refused the one given",
        steps: [
          "Add the header or variable it wants under Credentials.",
          "Check that the secret is whole and has not expired.",
        ],
      };
    case "upstream_timeout":
      return {
        title: "The server did not answer in time",
        steps: [
          ...(transport === "stdio"
            ? ["A first start may have to download the package: probe once more."]
            : HTTP_STEPS),
          "If it is slow by nature, raise its deadline.",
        ],
      };
    case "upstream_unreachable":
      return {
        title:
          transport === "stdio" ? "The command did not start, or ended at once" : "Nobody answered at this address",
        steps: transport === "stdio" ? STDIO_STEPS : HTTP_STEPS,
      };
    case "upstream_protocol":
      return {
        title: "It answered, but not in MCP",
        steps:
          transport === "stdio"
            ? ["The command must speak MCP on standard output and print its log on standard error.", ...STDIO_STEPS]
            : ["The URL may be a web page, or speak another transport than the one chosen.", ...HTTP_STEPS],
      };
    case "overloaded":
    case "rate_limited":
      return { title: "The server is busy", steps: ["Wait a moment, then probe again."] };
    default:
      return {
        title: "The probe failed",
        steps: ["Read the message above, correct the endpoint, and probe again."],
      };
  }
}
