import { BookOpen, TriangleAlert } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { ServerToolView } from "@/lib/servers/schemas";

/** What a server says of a tool, which nobody has to believe. */
export function ToolHints({ tool }: { readonly tool: Pick<ServerToolView, "annotations"> }) {
  const { annotations } = tool;
  return (
    <span className="inline-flex flex-wrap gap-1">
      {annotations?.readOnlyHint ? <Badge glyph={<BookOpen aria-hidden />}>reads</Badge> : null}
      {annotations?.destructiveHint ? (
        <Badge tone="warn" glyph={<TriangleAlert aria-hidden />}>
          destructive
        </Badge>
      ) : null}
      {annotations?.idempotentHint ? <Badge>idempotent</Badge> : null}
      {annotations?.openWorldHint ? <Badge>open world</Badge> : null}
      {annotations === null ? <span className="text-xs text-muted">nothing</span> : null}
    </span>
  );
}
