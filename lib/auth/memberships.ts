import { isOfPlatform } from "@/lib/core/permission";
import type { Zone } from "@/lib/tenants/schemas";

/** One tenant a person may enter now: active there, and the tenant active itself. */
export type Membership = {
  readonly tenantId: string;
  readonly memberId: string;
  readonly slug: string;
  readonly name: string;
  readonly zones: readonly Zone[];
  readonly residency: string;
  readonly roles: readonly { readonly slug: string; readonly permissions: readonly string[] }[];
};

/** Parameters: user id, the moment at which roles must not have expired. Runs as the platform role. */
export const MEMBERSHIPS_SQL = `
  select m.tenant_id as "tenantId", m.id as "memberId", t.slug, t.name, t.zones, t.residency,
         coalesce(json_agg(json_build_object('slug', r.slug, 'permissions', r.permissions) order by r.slug)
                  filter (where r.id is not null), '[]') as roles
    from members m
    join tenants t on t.id = m.tenant_id and t.status = 'active'
    left join member_roles mr on mr.tenant_id = m.tenant_id and mr.member_id = m.id
                             and (mr.expires_at is null or mr.expires_at > $2::timestamptz)
    left join roles r on r.tenant_id = mr.tenant_id and r.id = mr.role_id
   where m.user_id = $1::uuid and m.status = 'active'
   group by m.tenant_id, m.id, t.slug, t.name, t.zones, t.residency
   order by t.slug`;

/** Everything the roles of a membership allow, which is never anything beyond the tenant. */
export const permissionsOf = (membership: Pick<Membership, "roles">): Set<string> =>
  new Set(membership.roles.flatMap((role) => role.permissions).filter((permission) => !isOfPlatform(permission)));
