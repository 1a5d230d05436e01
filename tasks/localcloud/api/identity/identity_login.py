"""Whether somebody who asks for a v3 token has shown who they are.

Facts: keystone api-ref, v3, authentication; keystone/auth/plugins/application_credential.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tasks.localcloud.api.identity.identity_v3_bodies import Auth, GivenApplicationCredential, Identity, Method
from tasks.localcloud.identity.application_credentials import ApplicationCredential, ApplicationCredentials
from tasks.localcloud.identity.credentials import Credentials, Proof, Tokens


@dataclass(frozen=True, kw_only=True)
class Login:
    """What can be shown: the user's credentials, application credentials, tokens."""

    credentials: Credentials
    application_credentials: ApplicationCredentials
    tokens: Tokens

    def proof(self, auth: Auth) -> Proof | None:
        """Give what was shown, None when that is not enough: every method named has to hold, and the scope be theirs.

        Without a scope it is the user's default project.
        """
        proofs = [self._proof_by(method, auth.identity) for method in auth.identity.methods]
        shown = [proof for proof in proofs if proof]
        if len(shown) < len(proofs) or not self._in_scope(auth):
            return None
        ends = [proof.until for proof in shown if proof.until]
        return Proof(
            methods=tuple(dict.fromkeys(method for proof in shown for method in proof.methods)),
            application_credential=next((p.application_credential for p in shown if p.application_credential), None),
            until=min(ends, default=None),
        )

    def _in_scope(self, auth: Auth) -> bool:
        """Say whether the scope is the user's project; an application credential has its own and cannot ask for one."""
        if auth.scope is None:
            return True
        if "application_credential" in auth.identity.methods:
            return False
        return auth.scope.project is not None and auth.scope.project.is_called(self.credentials.project)

    def _proof_by(self, method: Method, identity: Identity) -> Proof | None:
        match method:
            case "password":
                return self._by_password(identity)
            case "application_credential":
                return self._by_application_credential(identity, self.tokens.now())
            case "token":
                return self._by_token(identity)

    def _by_password(self, identity: Identity) -> Proof | None:
        assert identity.password
        user, mine = identity.password.user, self.credentials
        known = user.is_called(mine.user_id, mine.username)
        accepted = mine.accepts_password(mine.username, user.password.get_secret_value())
        return Proof(methods=("password",)) if known and accepted else None

    def _by_application_credential(self, identity: Identity, now: datetime) -> Proof | None:
        assert identity.application_credential
        given = identity.application_credential
        meant = self._meant(given)
        if meant is None or not meant.accepts(given.secret.get_secret_value(), now):
            return None
        return Proof(methods=("application_credential",), application_credential=meant.id, until=meant.expires)

    def _meant(self, given: GivenApplicationCredential) -> ApplicationCredential | None:
        if given.id is not None:
            return self.application_credentials.get(given.id)
        mine = self.credentials
        named_by_owner = given.name and given.user and given.user.is_called(mine.user_id, mine.username)
        return self.application_credentials.named(given.name) if given.name and named_by_owner else None

    def _by_token(self, identity: Identity) -> Proof | None:
        """Give what the token was given for; the new one does not outlast it."""
        assert identity.token
        token = self.tokens.find(identity.token.id.get_secret_value())
        return replace(token.proof, methods=("token", *token.proof.methods), until=token.expires) if token else None
