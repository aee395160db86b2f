"use client";
import { Asterisk, Check, Minus } from "lucide-react";
import { useMemo, useState } from "react";
import { Combobox } from "@/components/ui/combobox";
import { useNarrow } from "@/components/ui/use-narrow";
import type { AccessMatrix } from "@/lib/access/schemas";
import type { AccessDraft } from "./access-draft";
import { AccessFilterBar } from "./access-filter-bar";
import { matrixRows, toggleCells } from "./matrix-cells";
import { MatrixGrid } from "./matrix-grid";
import { NoTools } from "./no-tools";
import { useAccessFilter } from "./use-access-filter";

export type MatrixTabProps = {
  readonly tenant: string;
  readonly matrix: AccessMatrix;
  readonly draft: AccessDraft;
  readonly onDraft: (draft: AccessDraft) => void;
  readonly canEdit: boolean;
};

/** Who may call what, as one picture. */
export function MatrixTab({ tenant, matrix, draft, onDraft, canEdit }: MatrixTabProps) {
  const filterState = useAccessFilter();
  const [filter, setFilter] = filterState;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const narrow = useNarrow();
  const roles = useMemo(() => {
    const shown = filter.roles.length === 0 ? matrix.roles : matrix.roles.filter((r) => filter.roles.includes(r.slug));
    return [...shown].sort((a, b) => Number(a.builtIn) - Number(b.builtIn));
  }, [matrix.roles, filter.roles]);
  const rows = useMemo(
    () => matrixRows(matrix, draft, { text: filter.q, server: filter.server, only: filter.only }, folded),
    [matrix, draft, filter, folded],
  );
  const fold = (server: string) => {
    const next = new Set(folded);
    if (!next.delete(server)) next.add(server);
    setFolded(next);
  };
  const options = matrix.roles.map((role) => ({
    value: role.slug,
    label: role.name,
    hint: role.builtIn ? "built-in" : "",
  }));

  return (
    <div className="flex flex-col gap-3">
      <AccessFilterBar filter={filterState} servers={matrix.servers}>
        <div className="w-52">
          <Combobox
            label="Roles"
            placeholder="All roles"
            multiple
            options={options}
            values={filter.roles}
            onValuesChange={(values) => setFilter({ roles: values.length === 0 ? null : [...values] })}
          />
        </div>
        <Legend />
      </AccessFilterBar>
      {rows.length === 0 ? (
        <NoTools tenant={tenant} hasTools={matrix.servers.length > 0} onClear={() => setFilter(null)} />
      ) : (
        <MatrixGrid
          matrix={matrix}
          rows={rows}
          roles={roles}
          draft={draft}
          canEdit={canEdit}
          folded={folded}
          onFold={fold}
          onToggle={(role, chosen) => canEdit && onDraft(toggleCells(matrix, draft, role, chosen))}
          narrow={narrow}
        />
      )}
    </div>
  );
}

function Legend() {
  return (
    <ul
      aria-label="Legend"
      className="ml-auto flex flex-wrap gap-x-4 text-xs [&_li]:flex [&_li]:items-center [&_li]:gap-1 [&_svg]:size-3.5"
    >
      <li className="text-ok">
        <Check aria-hidden /> direct
      </li>
      <li className="text-info">
        <Asterisk aria-hidden /> wildcard
      </li>
      <li className="text-muted">
        <Minus aria-hidden /> none
      </li>
    </ul>
  );
}
