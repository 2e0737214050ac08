"""Changes of the model, before and after they count: plan, preview, edit, apply, roll back."""
