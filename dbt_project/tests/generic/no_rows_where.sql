{# No row meets the condition; used with severity warn for what a source should put right. #}
{% test no_rows_where(model, condition) %}
    select * from {{ model }} where {{ condition }}
{% endtest %}
