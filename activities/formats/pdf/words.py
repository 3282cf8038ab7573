"""Days and times as letters write them, in English and Spanish; the computer's locale plays no part."""

from datetime import date, datetime

from activities.formats.pdf.content import Language

DAYS = {
    Language.ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    Language.SPANISH: ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
MONTHS = {
    Language.ENGLISH: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    Language.SPANISH: (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}


def day_words(day: date, language: Language = Language.ENGLISH) -> str:
    """`November 23, 2026` or `23 de noviembre de 2026`."""
    month = MONTHS[language][day.month - 1]
    if language is Language.SPANISH:
        return f"{day.day} de {month} de {day.year}"
    return f"{month} {day.day}, {day.year}"


def visit_words(at: datetime, language: Language = Language.ENGLISH) -> str:
    """`Tuesday, December 1, 2026, at 10:20 AM` or `martes, 1 de diciembre de 2026, a las 10:20 a. m.`."""
    weekday, hour = DAYS[language][at.weekday()], at.hour % 12 or 12
    if language is Language.SPANISH:
        half, article = ("a. m." if at.hour < 12 else "p. m."), ("a la" if hour == 1 else "a las")
        return f"{weekday}, {day_words(at, language)}, {article} {hour}:{at:%M} {half}"
    return f"{weekday}, {day_words(at, language)}, at {hour}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"
