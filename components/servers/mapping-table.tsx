"use client";
import { BookOpen, TriangleAlert, WandSparkles } from "lucide-react";
import { PermissionInput } from "@/components/access/permission-input";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Table, Tbody, Td, Th, Thead, Tr } from "@/components/ui/table";
import { covers } from "@/lib/core/permission";
import type { RoleView } from "@/lib/members/schemas";
import type { ServerToolView } from "@/lib/servers/schemas";
import { giveTools, type MappingDraft, mapTool, permissionOf } from "./tool-mapping";

export type MappingTableProps = {
  readonly tools: readonly ServerToolView[];
  readonly roles: readonly RoleView[];
  readonly draft: MappingDraft;
  readonly onDraft: (draft: MappingDraft) => void;
  readonly list: string;
  readonly disabled: boolean;
};

/** Tools down, custom roles across. */
export function MappingTable(props: MappingTableProps) {
  const { tools, roles, draft, onDraft, disabled } = props;
  const mapped = tools.filter((tool) => permissionOf(draft, tool) !== null);
  return (
    <Table aria-label="Tools, their permissions and the roles that get them">
      <Thead className="max-sm:not-sr-only max-sm:block">
        <tr className="max-sm:flex max-sm:flex-wrap">
          <Th className="max-sm:hidden">Tool</Th>
          <Th className="max-sm:hidden">Needs the permission</Th>
          {roles.map((role) => {
            const given = draft.given[role.slug]?.length ?? 0;
            const state = given === 0 ? false : given >= mapped.length ? true : "indeterminate";
            return (
              <Th key={role.slug} title={role.description || role.slug}>
                <span className="flex items-center gap-1">
                  <Checkbox
                    aria-label={`Grant all mapped tools to ${role.name}`}
                    checked={state}
                    disabled={disabled || mapped.length === 0}
                    onCheckedChange={(on) =>
                      onDraft(
                        giveTools(
                          draft,
                          tools,
                          role.slug,
                          tools.map((tool) => tool.name),
                          on === true,
                        ),
                      )
                    }
                  />
                  {role.name}
                </span>
              </Th>
            );
          })}
        </tr>
      </Thead>
      <Tbody>
        {tools.map((tool) => (
          <MappingRow key={tool.name} tool={tool} {...props} />
        ))}
      </Tbody>
    </Table>
  );
}

function MappingRow({
  tool,
  tools,
  roles,
  draft,
  onDraft,
  list,
  disabled,
}: MappingTableProps & { readonly tool: ServerToolView }) {
  const permission = permissionOf(draft, tool);
  return (
    <Tr>
      <Td primary className="max-w-96">
        <span className="flex flex-wrap items-center gap-2">
          <span className="break-all">{tool.name}</span>
          {tool.annotations?.readOnlyHint ? <Badge glyph={<BookOpen aria-hidden />}>reads</Badge> : null}
          {tool.annotations?.destructiveHint ? (
            <Badge tone="warn" glyph={<TriangleAlert aria-hidden />}>
              destructive
            </Badge>
          ) : null}
        </span>
        <span className="block truncate text-xs text-muted" title={tool.description}>
          {tool.description}
        </span>
      </Td>
      <Td className="max-sm:w-full">
        <span className="flex items-center gap-1">
          <PermissionInput
            label={`Permission for ${tool.name}`}
            value={permission}
            list={list}
            disabled={disabled}
            onCommit={(next) => onDraft(mapTool(draft, tool.name, next))}
            className="w-52"
          />
          {permission === null ? (
            <Button
              size="sm"
              variant="ghost"
              disabled={disabled}
              aria-label={`Map ${tool.name} to ${tool.suggestedPermission}`}
              onClick={() => onDraft(mapTool(draft, tool.name, tool.suggestedPermission))}
            >
              <WandSparkles aria-hidden />
              <code className="font-mono">{tool.suggestedPermission}</code>
            </Button>
          ) : null}
        </span>
      </Td>
      {roles.map((role) => {
        const holds = permission !== null && covers(new Set(role.permissions), permission);
        const given = draft.given[role.slug]?.includes(tool.name) ?? false;
        return (
          <Td key={role.slug} title={holds ? `${role.name} holds it already` : undefined}>
            <span className="flex items-center gap-1">
              <Checkbox
                aria-label={`Grant ${tool.name} to ${role.name}`}
                checked={holds || given}
                disabled={disabled || holds || permission === null}
                onCheckedChange={(on) => onDraft(giveTools(draft, tools, role.slug, [tool.name], on === true))}
              />
              <span className="text-xs text-muted sm:hidden">{role.name}</span>
            </span>
          </Td>
        );
      })}
    </Tr>
  );
}
