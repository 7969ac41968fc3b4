/** `/v1/acl` on an agent without access control: every path says so. (An agent refuses to start with `acl.enabled`.) */
import { HttpError } from '../errors.ts';
import type { Method } from '../request.ts';
import type { Route } from '../route.ts';

const object: readonly Method[] = ['GET', 'PUT', 'DELETE'];

const paths: Readonly<Record<string, readonly Method[]>> = {
  'acl/bootstrap': ['PUT'],
  'acl/login': ['POST'],
  'acl/logout': ['POST'],
  'acl/replication': ['GET'],
  'acl/rules/translate': ['POST'],
  'acl/rules/translate/': ['GET'],
  'acl/tokens': ['GET'],
  'acl/token': ['PUT'],
  'acl/token/self': ['GET'],
  'acl/token/': object,
  'acl/policies': ['GET'],
  'acl/policy': ['PUT'],
  'acl/policy/name/': ['GET'],
  'acl/policy/': object,
  'acl/roles': ['GET'],
  'acl/role': ['PUT'],
  'acl/role/name/': ['GET'],
  'acl/role/': object,
  'acl/binding-rules': ['GET'],
  'acl/binding-rule': ['PUT'],
  'acl/binding-rule/': object,
  'acl/auth-methods': ['GET'],
  'acl/auth-method': ['PUT'],
  'acl/auth-method/': object,
  'internal/acl/authorize': ['POST'],
};

export function aclDisabledRoutes(): Route[] {
  return Object.entries(paths).map(([path, methods]) => ({
    path: `/v1/${path}`,
    methods,
    handle() {
      throw new HttpError(401, 'ACL support disabled');
    },
  }));
}
