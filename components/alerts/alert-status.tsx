import { Badge } from "@/components/ui/badge";
import { Status } from "@/components/ui/status";
import type { AlertView } from "@/lib/alerts/schemas";

/** How bad it is while it lasts; afterwards, that it is over. */
export function AlertStatus({ alert }: { readonly alert: Pick<AlertView, "state" | "severity"> }) {
  if (alert.state === "firing") return <Status state={alert.severity} />;
  return <Status state={alert.state}>{alert.state === "pending" ? `pending, ${alert.severity}` : "resolved"}</Status>;
}

/** That a person looks into it, and who. */
export function Acknowledged({ by }: { readonly by: AlertView["acknowledged"] }) {
  if (by === null) return <span className="text-muted">not acknowledged</span>;
  return (
    <Badge tone="info" title={by.note ?? undefined} className="max-w-full">
      <span className="truncate">acknowledged by {by.by}</span>
    </Badge>
  );
}
