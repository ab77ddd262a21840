{# Shares of one whole add up to 1; a whole of which a share is not shown cannot be added up. #}
{% test shares_add_up(model, column_name, keys, where="true") %}
    select {{ keys | join(", ") }}, sum({{ column_name }}) as total
    from {{ model }}
    where {{ where }}
    group by {{ keys | join(", ") }}
    having
        count({{ column_name }}) = count(*)
        and not (sum({{ column_name }}) between 1 - 0.000001 and 1 + 0.000001)
{% endtest %}
