{# No two rows share these columns (NULL counts as a value), and none of them is NULL unless allowed. #}
{% test unique_combination(model, columns, allow_null=false) %}
    select {{ columns | join(", ") }}, count(*) as row_count
    from {{ model }}
    group by {{ columns | join(", ") }}
    having
        count(*) > 1
        {% if not allow_null %}
            {% for column in columns %} or {{ column }} is null {% endfor %}
        {% endif %}
{% endtest %}
