import { formatPlural } from "@/components/ui/format";
import type { HealthView } from "@/lib/metrics/schemas";

type ServerLight = HealthView["servers"][number];

/** Servers whose light asks for a look, worst first. */
export function troubled(servers: HealthView["servers"]): readonly ServerLight[] {
  const lit = (light: ServerLight["light"]) => servers.filter((server) => server.light === light);
  return [...lit("CRITICAL"), ...lit("WARNING")];
}

/** The others in one sentence: being silent is not being well. */
export function restWords(servers: HealthView["servers"]): string | null {
  const count = (light: ServerLight["light"]) => servers.filter((server) => server.light === light).length;
  const [healthy, unknown] = [count("HEALTHY"), count("UNKNOWN")];
  const parts = [
    healthy === 0 ? null : `${formatPlural(healthy, "server is", "servers are")} healthy`,
    unknown === 0
      ? null
      : `of ${formatPlural(unknown, "server", "servers")} nothing is known, for want of calls in the last five minutes`,
  ].filter((part) => part !== null);
  if (parts.length === 0) return null;
  const text = parts.join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
