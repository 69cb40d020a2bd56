"""Model fields: text encrypted at rest with the Fernet keys of the environment, and amounts of money.

Encrypted columns cannot be searched, on purpose.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.validators import MaxValueValidator
from django.db import models

from core.money import MOST_MINOR

if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
    _BigIntegerField = models.PositiveBigIntegerField[Any, Any]
else:
    _TextField = models.TextField
    _BigIntegerField = models.PositiveBigIntegerField


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _cipher() -> MultiFernet:
    return _fernet(tuple(settings.FIELD_KEYS))


def encrypted(text: str) -> str:
    """Encrypt a text for a column of another library, which is not an EncryptedTextField."""
    return _cipher().encrypt(text.encode()).decode()


def decrypted(stored: str) -> str:
    """Decrypt a stored value, for code that reads it without the field (raw SQL, a column of another library).

    :raises ImproperlyConfigured: if no key in FIELD_KEYS decrypts it.
    """
    try:
        return _cipher().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured("A stored value was encrypted with a key that is not in FIELD_KEYS.") from error


class NoKeyFits(Exception):
    """A stored value was encrypted with a key that is not in FIELD_KEYS."""


def renewed(stored: str) -> str:
    """Return a stored value as the first of FIELD_KEYS encrypts it; the same text if it is encrypted with it already.

    :raises NoKeyFits: if no key in FIELD_KEYS decrypts it.
    """
    try:
        _fernet((settings.FIELD_KEYS[0],)).decrypt(stored.encode())
    except InvalidToken:
        try:
            return _cipher().rotate(stored.encode()).decode()
        except InvalidToken as error:
            raise NoKeyFits from error
    return stored


def encrypt_column(connection: Any, table: str, column: str, *, batch: int = 1000) -> None:
    """Encrypt the plain text of a column, for the migration that makes it an EncryptedTextField.

    Safe to repeat: encrypted values stay as they are. ``table`` and ``column`` must be constants, never user input.
    """
    last = 0
    select = f"SELECT id, {column} FROM {table} WHERE id > %s AND {column} <> '' ORDER BY id LIMIT %s"  # noqa: S608
    update = f"UPDATE {table} SET {column} = %s WHERE id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        while True:
            cursor.execute(select, [last, batch])
            rows = cursor.fetchall()
            if not rows:
                return
            for key, stored in rows:
                if not _is_encrypted(stored):
                    cursor.execute(update, [encrypted(stored), key])
            last = rows[-1][0]


def _is_encrypted(stored: str) -> bool:
    try:
        _cipher().decrypt(stored.encode())
    except InvalidToken:
        return False
    return True


class EncryptedTextField(_TextField):
    """Text that is stored encrypted. An empty value is stored as it is."""

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return encrypted(text) if text else text

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return decrypted(value) if value else value


class MinorUnitsField(_BigIntegerField):
    """A price, a fee or a deposit in minor units, or in basis points if another column says that it is a percentage."""

    default_validators = [MaxValueValidator(MOST_MINOR)]
