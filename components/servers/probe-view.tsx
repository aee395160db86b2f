import { Ban, Check } from "lucide-react";
import { Facts } from "@/components/ui/facts";
import { formatDuration } from "@/components/ui/format";
import { Note } from "@/components/ui/note";
import type { ServerEndpoint, ServerProbe } from "@/lib/servers/schemas";
import { adviceFor } from "./failure-advice";

export type ProbeViewProps = {
  readonly probe: Omit<ServerProbe, "tools">;
  readonly transport: ServerEndpoint["transport"];
  /** URL or the exact command, never cut. */
  readonly address: string;
  readonly toolCount: number;
};

const ERA = { modern: "modern (stateless)", legacy: "legacy (sessions)" } as const;

/** What a server said of itself, or why it said nothing. */
export function ProbeView({ probe, transport, address, toolCount }: ProbeViewProps) {
  return (
    <div className="flex flex-col gap-4">
      {probe.ok ? (
        <p className="flex items-center gap-2 font-medium text-ok">
          <Check aria-hidden className="size-4" />
          It answered and offers {toolCount} {toolCount === 1 ? "tool" : "tools"}.
        </p>
      ) : (
        <ProbeFailure probe={probe} transport={transport} />
      )}
      <Facts
        facts={[
          {
            name: transport === "stdio" ? "Exact command" : "URL",
            value: <code className="font-mono text-xs break-all whitespace-pre-wrap">{address}</code>,
          },
          {
            name: "Server's own name",
            value: [probe.serverName, probe.serverVersion].filter(Boolean).join(" ") || "–",
          },
          {
            name: "Protocol",
            value: probe.protocolVersion
              ? `${probe.protocolVersion}, ${probe.era ? ERA[probe.era] : "unknown era"}`
              : "–",
          },
          { name: "Capabilities", value: probe.capabilities.join(", ") || "–" },
          { name: "Time to connect", value: formatDuration(probe.connectMs) },
          { name: "Time to list tools", value: formatDuration(probe.listMs) },
        ]}
      />
      {probe.warnings?.length ? (
        <Note tone="warn">
          <ul className="flex flex-col gap-1">
            {probe.warnings.map((warning) => (
              <li key={warning} className="break-words">
                {warning}
              </li>
            ))}
          </ul>
        </Note>
      ) : null}
      {probe.instructions ? (
        <div>
          <h3 className="text-sm text-muted">Its instructions, as it wrote them</h3>
          <blockquote
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
            tabIndex={0}
            className="mt-1 max-h-40 max-w-[72ch] overflow-auto border-l-2 border-line pl-3 text-sm whitespace-pre-wrap"
          >
            {probe.instructions}
          </blockquote>
        </div>
      ) : null}
    </div>
  );
}

function ProbeFailure({ probe, transport }: Pick<ProbeViewProps, "probe" | "transport">) {
  const code = probe.error?.code ?? "internal";
  const advice = adviceFor(code, transport);
  return (
    <div role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm">
      <p className="flex items-center gap-2 font-medium text-bad">
        <Ban aria-hidden className="size-4 shrink-0" />
        {advice.title}
      </p>
      <p className="mt-1 break-words">
        {probe.error?.message} <code className="font-mono text-xs text-muted">{code}</code>
      </p>
      <ul className="mt-2 list-disc pl-5">
        {advice.steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
    </div>
  );
}
