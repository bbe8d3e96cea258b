"""The texts of the pages. They are HTML only after Jinja has escaped them."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "log_in": "Log in",
        "username": "Username",
        "password": "Password",
        "wrong": "Wrong username or password.",
        "limited": "Too many attempts. Try again in {seconds} seconds.",
        "busy": "The server is busy. Try again in a few seconds.",
        "old_form": "This form has expired. Please try again.",
        "logged_out": "You are logged out.",
        "log_out": "Log out",
        "logged_in_as": "You are logged in as {username}.",
        "change_password": "Change password",
        "current_password": "Current password",
        "new_password": "New password",
        "new_password_again": "New password again",
        "rules": "At least 8 characters, and hard to guess.",
        "wrong_password": "The current password is wrong.",
        "different": "The new passwords differ.",
        "weak": "The new password is too easy to guess, or has a character that is not allowed.",
        "changed": "Your password was changed. All your other sessions were ended.",
        "back": "Back to the app",
        "unavailable": "Temporarily unavailable",
        "unavailable_text": "Logins cannot be checked at the moment. Please try again later.",
        "retry": "Try again",
    },
    "fr": {
        "log_in": "Se connecter",
        "username": "Nom d’utilisateur",
        "password": "Mot de passe",
        "wrong": "Nom d’utilisateur ou mot de passe incorrect.",
        "limited": "Trop de tentatives. Réessayez dans {seconds} secondes.",
        "busy": "Le serveur est occupé. Réessayez dans quelques secondes.",
        "old_form": "Ce formulaire a expiré. Veuillez réessayer.",
        "logged_out": "Vous êtes déconnecté.",
        "log_out": "Se déconnecter",
        "logged_in_as": "Vous êtes connecté en tant que {username}.",
        "change_password": "Changer de mot de passe",
        "current_password": "Mot de passe actuel",
        "new_password": "Nouveau mot de passe",
        "new_password_again": "Nouveau mot de passe (confirmation)",
        "rules": "Au moins 8 caractères, et difficile à deviner.",
        "wrong_password": "Le mot de passe actuel est incorrect.",
        "different": "Les nouveaux mots de passe sont différents.",
        "weak": "Le nouveau mot de passe est trop facile à deviner, "
        "ou contient un caractère interdit.",
        "changed": "Votre mot de passe a été changé. Vos autres sessions ont été fermées.",
        "back": "Retour à l’application",
        "unavailable": "Temporairement indisponible",
        "unavailable_text": "Les connexions ne peuvent pas être vérifiées pour le moment. "
        "Veuillez réessayer plus tard.",
        "retry": "Réessayer",
    },
    "de": {
        "log_in": "Anmelden",
        "username": "Benutzername",
        "password": "Passwort",
        "wrong": "Benutzername oder Passwort ist falsch.",
        "limited": "Zu viele Versuche. Bitte in {seconds} Sekunden erneut versuchen.",
        "busy": "Der Server ist ausgelastet. Bitte in einigen Sekunden erneut versuchen.",
        "old_form": "Dieses Formular ist abgelaufen. Bitte erneut versuchen.",
        "logged_out": "Sie sind abgemeldet.",
        "log_out": "Abmelden",
        "logged_in_as": "Sie sind als {username} angemeldet.",
        "change_password": "Passwort ändern",
        "current_password": "Aktuelles Passwort",
        "new_password": "Neues Passwort",
        "new_password_again": "Neues Passwort wiederholen",
        "rules": "Mindestens 8 Zeichen und schwer zu erraten.",
        "wrong_password": "Das aktuelle Passwort ist falsch.",
        "different": "Die neuen Passwörter stimmen nicht überein.",
        "weak": "Das neue Passwort ist zu leicht zu erraten oder enthält ein unzulässiges Zeichen.",
        "changed": "Ihr Passwort wurde geändert. Ihre anderen Sitzungen wurden beendet.",
        "back": "Zurück zur Anwendung",
        "unavailable": "Vorübergehend nicht verfügbar",
        "unavailable_text": "Anmeldungen können gerade nicht geprüft werden. "
        "Bitte später erneut versuchen.",
        "retry": "Erneut versuchen",
    },
    "es": {
        "log_in": "Iniciar sesión",
        "username": "Nombre de usuario",
        "password": "Contraseña",
        "wrong": "Nombre de usuario o contraseña incorrectos.",
        "limited": "Demasiados intentos. Inténtelo de nuevo en {seconds} segundos.",
        "busy": "El servidor está ocupado. Inténtelo de nuevo en unos segundos.",
        "old_form": "Este formulario ha caducado. Inténtelo de nuevo.",
        "logged_out": "Ha cerrado la sesión.",
        "log_out": "Cerrar sesión",
        "logged_in_as": "Ha iniciado sesión como {username}.",
        "change_password": "Cambiar contraseña",
        "current_password": "Contraseña actual",
        "new_password": "Contraseña nueva",
        "new_password_again": "Repetir contraseña nueva",
        "rules": "Al menos 8 caracteres y difícil de adivinar.",
        "wrong_password": "La contraseña actual es incorrecta.",
        "different": "Las contraseñas nuevas no coinciden.",
        "weak": "La contraseña nueva es demasiado fácil de adivinar "
        "o contiene un carácter no permitido.",
        "changed": "Se ha cambiado su contraseña. Se han cerrado sus otras sesiones.",
        "back": "Volver a la aplicación",
        "unavailable": "No disponible temporalmente",
        "unavailable_text": "Ahora no se pueden comprobar los inicios de sesión. "
        "Inténtelo más tarde.",
        "retry": "Reintentar",
    },
}


def with_changes(changes: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """The texts with some replaced. A new language has English texts where it has none."""
    texts = {language: dict(of_language) for language, of_language in TEXTS.items()}
    for language, changed in changes.items():
        if unknown := set(changed) - set(TEXTS["en"]):
            raise ValueError(f"texts has no {sorted(unknown)}, only {sorted(TEXTS['en'])}")
        texts.setdefault(language, dict(TEXTS["en"])).update(changed)
    return texts
