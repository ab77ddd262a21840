{#
  Every customer is in one segment of each attribute, so the segments of an attribute add up to all: for every row of
  `keys`, each of `columns`. `attributes_where` leaves out attributes that not every customer has (such as a touchpoint).
#}
{% test segments_add_up(
    model,
    columns,
    keys=[],
    by="segment_by",
    attributes_where="true",
    where="true"
) %}
    with
        parts as (
            select
                {% for key in keys %} {{ key }}, {% endfor %}
                {{ by }} as attribute,
                {%- for column in columns %}
                    sum(coalesce({{ column }}, 0)) as {{ column }}
                    {%- if not loop.last %}, {% endif %}
                {%- endfor %}
            from {{ model }}
            where ({{ where }}) and ({{ by }} = 'all' or ({{ attributes_where }}))
            group by {% for key in keys %} {{ key }}, {% endfor %} {{ by }}
        ),

        attributes as (select distinct attribute from parts where attribute <> 'all'),

        wholes as (select * from parts where attribute = 'all')

    select wholes.*, attributes.attribute as broken_attribute
    from wholes
    cross join attributes
    left join
        parts on parts.attribute = attributes.attribute
        {%- for key in keys %}
            and coalesce(cast(parts.{{ key }} as {{ dbt.type_string() }}), '')
            = coalesce(cast(wholes.{{ key }} as {{ dbt.type_string() }}), '')
        {%- endfor %}
    where
        {%- for column in columns %}
            wholes.{{ column }} <> coalesce(parts.{{ column }}, 0)
            {%- if not loop.last %} or {% endif %}
        {%- endfor %}
{% endtest %}
