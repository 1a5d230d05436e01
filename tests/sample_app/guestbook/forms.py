"""What visitors may send."""

from django import forms

from guestbook.models import Entry


class SignForm(forms.ModelForm):
    """An entry, as a visitor writes it."""

    class Meta:
        """The visitor's part of an entry; the rest is the server's."""

        model = Entry
        fields = ("name", "message")
        widgets = {"message": forms.Textarea(attrs={"rows": 3})}  # noqa: RUF012  Django's declarative style


class SlowForm(forms.Form):
    """How long a slow answer should take: up to ten seconds, so that nobody can hold all threads for long."""

    seconds = forms.FloatField(min_value=0, max_value=10)
