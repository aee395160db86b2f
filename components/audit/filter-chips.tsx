import { X } from "lucide-react";
import { type AuditParams, chipsOf, type FilterChange, NO_FILTER } from "@/components/audit/audit-params";
import { Button } from "@/components/ui/button";

type Props = { readonly params: AuditParams; readonly onChange: (change: FilterChange) => void };

export function FilterChips({ params, onChange }: Props) {
  const chips = chipsOf(params);
  // The line keeps its place when empty, so that the table does not move when a filter is set.
  if (chips.length === 0) return <div aria-hidden className="h-7 max-sm:hidden" data-no-print />;
  return (
    <ul aria-label="Active filters" className="flex min-h-7 flex-wrap items-center gap-1.5">
      {chips.map((chip) => (
        <li key={chip.label}>
          <Button
            size="sm"
            aria-label={`Remove filter ${chip.label}`}
            onClick={() => onChange(chip.clears)}
            className="max-w-80 border-transparent bg-accent-soft text-accent-text"
          >
            <span className="truncate">{chip.label}</span>
            <X aria-hidden />
          </Button>
        </li>
      ))}
      <li>
        <Button size="sm" variant="ghost" onClick={() => onChange(NO_FILTER)}>
          Clear all
        </Button>
      </li>
    </ul>
  );
}
